import type { Backend, DeviceArray } from "../../../../kernels/backend.ts";
import type { RandomStream } from "../../../../kernels/random.ts";
import { clusterQueries, type QueryClusters } from "../../tilted_tree/query_clusters.ts";
import type { HostRows } from "./device_products.ts";

/** How clusters are found. */
export interface KMeansPlan {
  /** Clusters; those of all rows are the rows. */
  readonly clusters: number;
  /** Lloyd's rounds: rows go to their nearest centre, centres to the mean of their rows. */
  readonly rounds: number;
  /** Rows that the rounds look at, drawn at random; all rows then go to the nearest centre once. All of them by default. */
  readonly sampled?: number;
}

/** Clusters of the rows of one head; `means` are those of all rows, and `order` has those of a cluster side by side. */
export interface Clusters extends QueryClusters {
  readonly order: Uint32Array;
  /** [count]: the cluster of each row. */
  readonly labels: Uint32Array;
}

/** Rounds of k-means where it has to be cheap. */
export const FEW_ROUNDS = 4;
const MOST_SAMPLED = 1024, SAMPLED_SHARE = 1 / 8;

/** Rows that these look at, of so many. */
export function sampledRows(count: number): number {
  return Math.min(MOST_SAMPLED, Math.ceil(SAMPLED_SHARE * count));
}

/** Products of a row and a centre that {@link kMeans} takes. */
export function productsOfKMeans(count: number, { clusters, rounds, sampled = count }: KMeansPlan): number {
  return clusters === 1 || clusters >= count ? 0 : clusters * (rounds * Math.min(sampled, count) + count);
}

/**
 * Clusters of rows by Lloyd's rounds from rows drawn at random ("Least squares quantization in PCM", 1982). A centre that loses all of its
 * rows moves to a row drawn at random; where rows are equal, clusters may stay empty. Distances are the device's, of rows about their
 * mean and in units of the largest, so that what all rows have in common takes no digits. Frees what the device holds.
 */
export async function kMeans(
  backend: Backend,
  { data, count }: HostRows,
  width: number,
  plan: KMeansPlan,
  random: RandomStream,
  signal?: AbortSignal,
): Promise<Clusters> {
  const clusters = Math.min(plan.clusters, count), labels = new Uint32Array(count);
  if (clusters === count) labels.forEach((_, row) => labels[row] = row);
  else if (clusters > 1) {
    labels.set(await nearestOf(backend, data, width, { ...plan, clusters }, random, signal));
  }
  return { ...clusterQueries(data, labels, 1, clusters), labels };
}

/** The centre to which each row comes. */
async function nearestOf(
  backend: Backend,
  data: Float32Array,
  width: number,
  { clusters, rounds, sampled = Infinity }: KMeansPlan,
  random: RandomStream,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  const rows = aboutTheirMean(data, width), count = data.length / width;
  const drawn = random.distinct(Math.min(count, Math.max(sampled, clusters)), count);
  const copyOf = (places: Uint32Array) => {
    const copy = new Float32Array(places.length * width);
    places.forEach((row, at) => copy.set(rows.subarray(row * width, (row + 1) * width), at * width));
    return copy;
  };
  // Rows come as they were drawn, so that the first are as random as any.
  const own = copyOf(drawn), centre = own.slice(0, clusters * width);
  const nearest = async (rows: DeviceArray, count: number) => {
    const sizes = { heads: 1, count, width, centres: clusters };
    const labels = backend.nearestCentres({ rows, centre: backend.upload(centre), ...sizes });
    return (await backend.run([labels], signal))[0] as Uint32Array;
  };
  const looked = backend.upload(own);
  for (let round = 0; round < rounds; round++) {
    const labels = await nearest(looked, drawn.length);
    moveToMeans(centre, own, labels, width, random);
  }
  const labels = await nearest(backend.upload(rows), count);
  backend.reset();
  return labels;
}

/** Moves centres to the means of their rows, and those that have none to a row drawn at random. */
function moveToMeans(
  centre: Float32Array,
  rows: Float32Array,
  labels: Uint32Array,
  width: number,
  random: RandomStream,
): void {
  const sums = new Float64Array(centre.length), sizes = new Uint32Array(centre.length / width);
  labels.forEach((label, row) => {
    sizes[label]++;
    for (let c = 0; c < width; c++) sums[label * width + c] += rows[row * width + c];
  });
  sizes.forEach((size, at) => {
    const from = size > 0 ? 0 : random.integer(labels.length) * width;
    for (let c = 0; c < width; c++) {
      centre[at * width + c] = size > 0 ? sums[at * width + c] / size : rows[from + c];
    }
  });
}

/** Rows less their mean, divided by the largest magnitude that is left. */
function aboutTheirMean(data: Float32Array, width: number): Float32Array {
  const mean = new Float64Array(width), rows = new Float32Array(data.length);
  for (let first = 0; first < data.length; first += width) {
    for (let c = 0; c < width; c++) mean[c] += data[first + c];
  }
  for (let c = 0; c < width; c++) mean[c] /= data.length / width;
  let largest = 0;
  for (let first = 0; first < data.length; first += width) {
    for (let c = 0; c < width; c++) largest = Math.max(largest, Math.abs(data[first + c] - mean[c]));
  }
  if (largest === 0) return rows;
  for (let first = 0; first < data.length; first += width) {
    for (let c = 0; c < width; c++) rows[first + c] = (data[first + c] - mean[c]) / largest;
  }
  return rows;
}
