import { multiply, multiplyTransposed } from "../linear_algebra/matrix_product.ts";

/** What is known exactly about some queries of one head, and what they and the keys are. */
export interface ProbedHead {
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly scale: number;
  /** [probes, features] */
  readonly query: Float64Array;
  /** [probes to fit to, keys]: softmax rows of the first of them. */
  readonly probabilities: Float32Array;
  /** [probes, valueFeatures]: attention to the centred values. */
  readonly output: Float64Array;
  /** [probes]: of the logits with the centred keys. */
  readonly logSumExp: Float64Array;
  /** [keys, features], and the mean that is subtracted from them. */
  readonly key: Float32Array;
  readonly keyMean: Float32Array;
  /** [keys, valueFeatures], and the mean that is subtracted from them. */
  readonly value: Float32Array;
  readonly valueMean: Float32Array;
}

/** A few weighted points that stand for all keys: out(q) = Σ_s e^{⟨q, k_s⟩ + b_s} z_s / Σ_s e^{⟨q, k_s⟩ + b_s}. */
export interface Coreset {
  readonly size: number;
  /** [size, features]: of the centred keys. */
  readonly key: Float64Array;
  /** [size]: logarithm of the mass of each. */
  readonly bias: Float64Array;
  /** [size, valueFeatures]: of the centred values. */
  readonly value: Float64Array;
}

/** A coreset and what making it computed on the way. */
export interface ClusterCoreset extends Coreset {
  /** [probes to fit to, size]: their inner products with the points. */
  readonly products: Float64Array;
}

/** Sums at or below this have underflowed. */
const LEAST_SUM = 1e-200;
/** What a key has at least that no probe attends to. */
const LEAST_MASS = 1e-30;

/**
 * One point for each cluster of keys, at its mean under the attention that the probes pay. A key j of cluster s
 * gets the mass g_j with which the point's column of exponentials comes closest to the key's own column over the
 * first omega.length probes, which count ω: g_j = Σ ω_i F_is P_ij / Σ ω_i F_is², F_is = e^{⟨q_i, k_s⟩} / Σ_l
 * e^{⟨q_i, k_l⟩}. The point has the sum of these masses and the mean of the values under them.
 */
export function clusterCoreset(
  head: ProbedHead,
  labels: Uint32Array,
  size: number,
  omega: Float64Array,
): ClusterCoreset {
  const { keys, features, valueFeatures, scale, probabilities } = head, rows = omega.length;
  const mass = columnSums(probabilities, keys, omega), clusters = gatherClusters(labels, size);
  const key = clusterMeans(head.key, features, head.keyMean, clusters, mass);
  const products = multiplyTransposed(head.query, rows, key, size, features);
  const ratio = new Float64Array(rows * size);
  const largest = new Float64Array(size).fill(-Infinity), square = new Float64Array(size);
  const sum = new Float64Array(size);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let s = 0; s < size; s++, at++) {
      ratio[at] = scale * products[at] - head.logSumExp[i];
      if (ratio[at] > largest[s]) largest[s] = ratio[at];
    }
  }
  for (let i = 0, at = 0; i < rows; i++) {
    for (let s = 0; s < size; s++, at++) {
      const exponential = Math.exp(ratio[at] - largest[s]);
      ratio[at] = omega[i] * exponential;
      sum[s] += omega[i] * exponential;
      square[s] += omega[i] * exponential * exponential;
    }
  }
  const fitted = matchColumns(probabilities, keys, ratio, rows, labels, size);
  const total = new Float64Array(size), plain = new Float64Array(size);
  for (let j = 0; j < keys; j++) {
    total[labels[j]] += fitted[j] /= square[labels[j]];
    plain[labels[j]] += mass[j];
  }
  const bias = new Float64Array(size);
  for (let s = 0; s < size; s++) {
    // Where the products underflow, the mean over the probes is matched instead.
    bias[s] = (total[s] > LEAST_SUM ? Math.log(total[s]) : Math.log(plain[s] / sum[s])) - largest[s];
  }
  for (let j = 0; j < keys; j++) if (!(total[labels[j]] > LEAST_SUM)) fitted[j] = mass[j];
  const value = clusterMeans(head.value, valueFeatures, head.valueMean, clusters, fitted);
  return { size, key, bias, value, products };
}

/** Σ_i ω_i P_ij, kept positive. Four rows at a time here and below, since a sum in memory waits for itself. */
function columnSums(probabilities: Float32Array, keys: number, omega: Float64Array): Float64Array {
  const sums = new Float64Array(keys).fill(LEAST_MASS);
  let i = 0;
  for (; i + 4 <= omega.length; i += 4) {
    const w = omega[i], x = omega[i + 1], y = omega[i + 2], z = omega[i + 3];
    for (let j = 0, at = i * keys; j < keys; j++, at++) {
      sums[j] += w * probabilities[at] + x * probabilities[at + keys] +
        (y * probabilities[at + 2 * keys] + z * probabilities[at + 3 * keys]);
    }
  }
  for (; i < omega.length; i++) {
    for (let j = 0, at = i * keys; j < keys; j++, at++) sums[j] += omega[i] * probabilities[at];
  }
  return sums;
}

/** Σ_i A_is P_ij for each key j and its cluster s, of A [rows, size] and P [rows, keys]. */
function matchColumns(
  probabilities: Float32Array,
  keys: number,
  a: Float64Array,
  rows: number,
  labels: Uint32Array,
  size: number,
): Float64Array {
  const sums = new Float64Array(keys);
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    for (let j = 0, at = i * keys; j < keys; j++, at++) {
      const s = i * size + labels[j];
      sums[j] += a[s] * probabilities[at] + a[s + size] * probabilities[at + keys] +
        (a[s + 2 * size] * probabilities[at + 2 * keys] + a[s + 3 * size] * probabilities[at + 3 * keys]);
    }
  }
  for (; i < rows; i++) {
    for (let j = 0, at = i * keys; j < keys; j++, at++) {
      sums[j] += a[i * size + labels[j]] * probabilities[at];
    }
  }
  return sums;
}

/** Keys in the order of their clusters; those of cluster s from starts[s] to starts[s + 1]. */
interface Clusters {
  readonly order: Uint32Array;
  readonly starts: Uint32Array;
}

function gatherClusters(labels: Uint32Array, size: number): Clusters {
  const starts = new Uint32Array(size + 1), order = new Uint32Array(labels.length);
  for (let j = 0; j < labels.length; j++) starts[labels[j] + 1]++;
  for (let s = 0; s < size; s++) starts[s + 1] += starts[s];
  const next = starts.slice();
  for (let j = 0; j < labels.length; j++) order[next[labels[j]]++] = j;
  return { order, starts };
}

/** Weighted means of the rows of each cluster, less a shift. */
function clusterMeans(
  rows: Float32Array,
  width: number,
  shift: Float32Array,
  { order, starts }: Clusters,
  weights: Float64Array,
): Float64Array {
  const size = starts.length - 1, means = new Float64Array(size * width), sum = new Float64Array(width);
  for (let s = 0; s < size; s++) {
    let at = starts[s], total = 0;
    const end = starts[s + 1];
    sum.fill(0);
    for (; at + 4 <= end; at += 4) {
      const i = order[at], j = order[at + 1], k = order[at + 2], l = order[at + 3];
      const w = weights[i], x = weights[j], y = weights[k], z = weights[l];
      total += w + x + (y + z);
      for (let c = 0, p = i * width, q = j * width, r = k * width, t = l * width; c < width; c++) {
        sum[c] += w * rows[p + c] + x * rows[q + c] + (y * rows[r + c] + z * rows[t + c]);
      }
    }
    for (; at < end; at++) {
      const j = order[at], weight = weights[j];
      total += weight;
      for (let c = 0; c < width; c++) sum[c] += weight * rows[j * width + c];
    }
    for (let c = 0; c < width; c++) means[s * width + c] = sum[c] / total - shift[c];
  }
  return means;
}

/** Inner products of queries [rows, features] with the points of a coreset: [rows, size]. */
export function coresetProducts(query: Float64Array, rows: number, { size, key }: Coreset): Float64Array {
  return multiplyTransposed(query, rows, key, size, query.length / rows);
}

/** Softmax rows over a coreset of queries with these inner products: [rows, size]. */
export function coresetRows(products: Float64Array, { size, bias }: Coreset, scale: number): Float64Array {
  const probabilities = new Float64Array(products.length);
  for (let start = 0; start < products.length; start += size) {
    let largest = -Infinity, total = 0;
    for (let s = 0; s < size; s++) {
      const logit = probabilities[start + s] = scale * products[start + s] + bias[s];
      if (logit > largest) largest = logit;
    }
    for (let s = 0; s < size; s++) {
      total += probabilities[start + s] = Math.exp(probabilities[start + s] - largest);
    }
    for (let s = 0; s < size; s++) probabilities[start + s] /= total;
  }
  return probabilities;
}

/** Attention of softmax rows [rows, size] to the values of a coreset: [rows, valueFeatures]. */
export function coresetOutput(
  probabilities: Float64Array,
  rows: number,
  { size, value }: Coreset,
): Float64Array {
  return multiply(probabilities, rows, value, size, value.length / size);
}
