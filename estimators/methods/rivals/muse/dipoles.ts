import type { Backend } from "../../../../kernels/backend.ts";
import { deviceProducts } from "../shared/device_products.ts";
import type { Clusters } from "../shared/k_means.ts";
import { softmax } from "../shared/softmax.ts";
import type { KeyRows, TiltedClusters } from "./tilted_clusters.ts";

/** Consecutive centres, and how keys look to all of them. */
export interface SomeCentres {
  readonly first: number;
  readonly count: number;
  /** [all centres, keys] */
  readonly logits: Float32Array;
  readonly tilted: TiltedClusters;
}

/** Logits of all keys at centres: [centres, keys]. */
export async function logitsAtCentres(
  backend: Backend,
  { key, features, scale }: KeyRows,
  centres: Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const count = centres.length / features, keys = key.length / features;
  const logits = new Float32Array(count * keys);
  const rows = { data: centres, count }, directions = { data: key, count: keys };
  for await (const { first, products } of deviceProducts(backend, rows, directions, features, signal)) {
    logits.set(products.map((x) => scale * x), first * keys);
  }
  return logits;
}

/**
 * Tilted covariances of keys and values of each cluster at some centres, times the scale: [clusters, count, features · valueFeatures].
 * For one cluster they are one product of matrices, [centres · features, members] of weighted keys and [valueFeatures, members] of values, both
 * about the cluster's mean, less what the tilted means are off these.
 */
export async function dipolesOf(
  backend: Backend,
  { key, value, features, valueFeatures, scale }: KeyRows,
  { order, sizes }: Clusters,
  { first, count, logits, tilted }: SomeCentres,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const keys = order.length, clusters = sizes.length, each = features * valueFeatures;
  const dipoles = new Float32Array(count * each * clusters);
  let before = 0;
  for (let cluster = 0; cluster < clusters; cluster++) {
    const members = order.subarray(before, before += sizes[cluster]), size = members.length;
    // The covariance of one key is 0.
    if (size < 2) continue;
    const keysOff = aboutMean(key, members, features), valuesOff = aboutMean(value, members, valueFeatures);
    const weighted = new Float32Array(count * features * size), weights = new Float64Array(size);
    for (let i = 0; i < count; i++) {
      const ofCentre = (first + i) * keys;
      softmax((j) => logits[ofCentre + members[j]], weights);
      for (let a = 0; a < features; a++) {
        const to = (i * features + a) * size, from = a * size;
        for (let j = 0; j < size; j++) weighted[to + j] = weights[j] * keysOff.rows[from + j];
      }
    }
    const rows = { data: weighted, count: count * features };
    const directions = { data: valuesOff.rows, count: valueFeatures };
    const stretches = deviceProducts(backend, rows, directions, size, signal);
    for await (const { first: from, products } of stretches) {
      for (let row = 0; row * valueFeatures < products.length; row++) {
        const i = Math.floor((from + row) / features), a = (from + row) % features;
        const own = (first + i) * clusters + cluster;
        const to = (cluster * count + i) * each + a * valueFeatures;
        const keyOff = tilted.key[own * features + a] - keysOff.mean[a];
        for (let c = 0; c < valueFeatures; c++) {
          const valueOff = tilted.value[own * valueFeatures + c] - valuesOff.mean[c];
          const covariance = products[row * valueFeatures + c] - keyOff * valueOff;
          dipoles[to + c] = scale * covariance;
        }
      }
    }
  }
  return dipoles;
}

/** Entries that are turned at a time, so that what is written stays at hand. */
const ENTRIES = 64;

/** The dipoles of one of the centres, [features · valueFeatures, clusters]. */
export function entriesOf(dipoles: Float32Array, at: number, count: number, clusters: number): Float32Array {
  const each = dipoles.length / (count * clusters), entries = new Float32Array(each * clusters);
  for (let from = 0; from < each; from += ENTRIES) {
    const end = Math.min(each, from + ENTRIES);
    for (let s = 0; s < clusters; s++) {
      const own = (s * count + at) * each;
      for (let entry = from; entry < end; entry++) entries[entry * clusters + s] = dipoles[own + entry];
    }
  }
  return entries;
}

/** Some rows less their mean, [width, members], and that. */
function aboutMean(data: Float32Array, members: Uint32Array, width: number) {
  const mean = new Float64Array(width), rows = new Float32Array(width * members.length);
  for (const row of members) {
    for (let c = 0; c < width; c++) mean[c] += data[row * width + c] / members.length;
  }
  members.forEach((row, j) => {
    for (let c = 0; c < width; c++) rows[c * members.length + j] = data[row * width + c] - mean[c];
  });
  return { mean, rows };
}
