import { type Backend, EMPTY } from "../../../../kernels/backend.ts";
import type { Clusters } from "../shared/k_means.ts";

/** Keys and values of one head. */
export interface KeyRows {
  /** [keys, features] */
  readonly key: Float32Array;
  /** [keys, valueFeatures] */
  readonly value: Float32Array;
  readonly features: number;
  readonly valueFeatures: number;
  /** Factor on every inner product. */
  readonly scale: number;
}

/** What stands for each cluster of keys as seen from each of some centres. */
export interface TiltedClusters {
  /** [centres, clusters, features]: mean key under the weights e^(logit at the centre). */
  readonly key: Float32Array;
  /** [centres, clusters, valueFeatures]: mean value under these. */
  readonly value: Float32Array;
  /** [centres, clusters]: logarithm of the sum of these weights; EMPTY for a cluster without keys. */
  readonly logMass: Float64Array;
}

/** Runs of keys are at most so many times as long as the clusters are in the mean: the device pads each to the longest. */
const LONGEST_RUN = 2;

/**
 * Exponentially tilted masses and means of clusters of keys at each centre, Σ e^(scale · ⟨c, k⟩) over a cluster and the means under these weights:
 * one softmax of each centre over each cluster, all of them one call of the device. Frees what the device holds.
 *
 * @param centres [count, features]
 */
export async function tiltClusters(
  backend: Backend,
  { key, value, features, valueFeatures, scale }: KeyRows,
  centres: Float32Array,
  { order, sizes }: Clusters,
  signal?: AbortSignal,
): Promise<TiltedClusters> {
  const count = centres.length / features, clusters = sizes.length, keys = order.length;
  const width = features + valueFeatures, runs = runsOf(sizes, Math.ceil(LONGEST_RUN * keys / clusters));
  const query = new Float32Array(runs.length * centres.length), positions = new Uint32Array(4 * runs.length);
  runs.forEach(({ first, end }, at) => {
    query.set(centres, at * centres.length);
    positions.set([at * count, (at + 1) * count, first, end], 4 * at);
  });
  const { output, logSumExp } = backend.attend({
    ...{ heads: 1, queries: runs.length * count, keys, features, valueFeatures: width, scale },
    query: backend.upload(query),
    key: backend.upload(key),
    value: backend.upload(joinRows(key, value, features, valueFeatures)),
    keyOrder: backend.upload(order),
    blocks: runs.length,
    bounds: {
      positions: backend.upload(positions),
      mostQueries: count,
      mostKeys: Math.max(...runs.map(({ first, end }) => end - first)),
    },
  });
  const [means, logMasses] = await backend.run([output, logSumExp], signal) as Float32Array[];
  backend.reset();
  const tilted = {
    key: new Float32Array(count * clusters * features),
    value: new Float32Array(count * clusters * valueFeatures),
    logMass: new Float64Array(count * clusters).fill(EMPTY),
  };
  runs.forEach(({ cluster }, at) => {
    for (let c = 0; c < count; c++) {
      const to = c * clusters + cluster, from = at * count + c, before = tilted.logMass[to];
      const own = logMasses[from], largest = Math.max(own, before);
      tilted.logMass[to] = largest + Math.log(Math.exp(own - largest) + Math.exp(before - largest));
      // Of a cluster that was cut into runs, each moves the means by its share of the mass so far.
      const share = Math.exp(own - tilted.logMass[to]), first = from * width;
      moveTowards(tilted.key, to * features, means.subarray(first, first + features), share);
      moveTowards(tilted.value, to * valueFeatures, means.subarray(first + features, first + width), share);
    }
  });
  return tilted;
}

/** Places of keys in the order of their clusters, of one cluster each. */
function runsOf(sizes: Uint32Array, most: number) {
  const runs: { cluster: number; first: number; end: number }[] = [];
  let first = 0;
  sizes.forEach((size, cluster) => {
    const end = first + size;
    for (; first < end; first = runs[runs.length - 1].end) {
      runs.push({ cluster, first, end: Math.min(end, first + most) });
    }
  });
  return runs;
}

/** Rows of two arrays side by side. */
function joinRows(a: Float32Array, b: Float32Array, aWidth: number, bWidth: number): Float32Array {
  const width = aWidth + bWidth, count = a.length / aWidth, joined = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    joined.set(a.subarray(row * aWidth, (row + 1) * aWidth), row * width);
    joined.set(b.subarray(row * bWidth, (row + 1) * bWidth), row * width + aWidth);
  }
  return joined;
}

function moveTowards(rows: Float32Array, first: number, mean: Float32Array, share: number): void {
  mean.forEach((x, c) => rows[first + c] += share * (x - rows[first + c]));
}
