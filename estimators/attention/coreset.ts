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
  const mass = columnSums(probabilities, keys, omega);
  const key = clusterMeans(head.key, features, head.keyMean, labels, size, mass);
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
  const fitted = new Float64Array(keys);
  for (let i = 0; i < rows; i++) {
    const row = ratio.subarray(i * size, (i + 1) * size), start = i * keys;
    for (let j = 0; j < keys; j++) fitted[j] += row[labels[j]] * probabilities[start + j];
  }
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
  const value = clusterMeans(head.value, valueFeatures, head.valueMean, labels, size, fitted);
  return { size, key, bias, value, products };
}

/** Σ_i ω_i P_ij, kept positive. */
function columnSums(probabilities: Float32Array, keys: number, omega: Float64Array): Float64Array {
  const sums = new Float64Array(keys).fill(LEAST_MASS);
  for (let i = 0; i < omega.length; i++) {
    const weight = omega[i], start = i * keys;
    for (let j = 0; j < keys; j++) sums[j] += weight * probabilities[start + j];
  }
  return sums;
}

/** Weighted means of the rows of each cluster, less a shift. */
function clusterMeans(
  rows: Float32Array,
  width: number,
  shift: Float32Array,
  labels: Uint32Array,
  size: number,
  weights: Float64Array,
): Float64Array {
  const means = new Float64Array(size * width), total = new Float64Array(size);
  for (let j = 0, from = 0; j < labels.length; j++) {
    const weight = weights[j];
    total[labels[j]] += weight;
    for (let to = labels[j] * width, end = to + width; to < end; to++, from++) {
      means[to] += weight * rows[from];
    }
  }
  for (let at = 0; at < means.length; at++) {
    means[at] = means[at] / total[Math.floor(at / width)] - shift[at % width];
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
