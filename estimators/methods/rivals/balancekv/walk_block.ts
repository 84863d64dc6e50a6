import type { RandomStream } from "../../../../kernels/random.ts";

/** The walk of a block. */
export interface Walk {
  /** Steepness: how far the sum of the kernels before a key moves the odds of its sign. */
  readonly gamma: number;
  /** The first sign of a block: a coin's, or always 1. */
  readonly first: "coin" | "one";
}

/** Keys and values of one block. */
export interface BlockRows {
  /** [count, features], centred. */
  readonly key: Float64Array;
  /** [count, valueFeatures], times their weights. */
  readonly value: Float64Array;
  readonly count: number;
  /** |scale| */
  readonly scale: number;
}

/** Added to products of values, so that the kernel of keys counts where values are small. */
export const OFFSET = 0.025;
/** Beyond this, powers of e overflow; odds are certain long before. */
const LARGEST_POWER = 600;

/**
 * Signs of a self-balancing walk (Banaszczyk's vector balancing, by the walk of Alweiss, Liu and Sawhney 2021): key i gets 1 with probability
 * 1/2 − γ Σ_{j<i} K_ij s_j, cut to [0, 1], where K_ij = e^(scale ⟨k_i, k_j⟩) (⟨v_i, v_j⟩ + OFFSET).
 */
export function walkBlock(
  { key, value, count, scale }: BlockRows,
  { gamma, first }: Walk,
  random: RandomStream,
): Int8Array {
  const features = key.length / count, valueFeatures = value.length / count;
  const signs = new Int8Array(count), powers = new Float64Array(count), weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let largest = 0;
    for (let j = 0; j < i; j++) {
      powers[j] = scale * product(key, features, i, j);
      weights[j] = product(value, valueFeatures, i, j) + OFFSET;
      largest = Math.max(largest, powers[j]);
    }
    let sum = 0;
    for (let j = 0; j < i; j++) sum += Math.exp(powers[j] - largest) * weights[j] * signs[j];
    const draw = random.uniform();
    const odds = 0.5 - gamma * sum * Math.exp(Math.min(largest, LARGEST_POWER));
    signs[i] = i === 0 && first === "one" || draw < odds ? 1 : -1;
  }
  return signs;
}

/** Kernels that {@link walkBlock} takes. */
export function walkProducts(count: number): number {
  return count * (count - 1) / 2;
}

function product(rows: Float64Array, width: number, a: number, b: number): number {
  let sum = 0;
  for (let c = 0, i = a * width, j = b * width; c < width; c++) sum += rows[i++] * rows[j++];
  return sum;
}
