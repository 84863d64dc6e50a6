import type { RandomStream } from "../../../../kernels/random.ts";
import { choosePivots, solveWeights } from "./pivoted_cholesky.ts";

/** Rows that stand for those of a bin, with what is in place of their weights and values. */
export interface WeightedPivots {
  /** Rows of the bin. */
  readonly places: readonly number[];
  /** [pivots]: logarithm of Σ_l |W_l|. */
  readonly logWeights: Float64Array;
  /** [pivots]: Σ_l W_l in units of that, within [−1, 1]. */
  readonly mass: Float64Array;
  /** [pivots, valueFeatures]: Σ_l W_l v_l in units of that. */
  readonly value: Float64Array;
}

/** Beyond this, powers of e overflow: there the weights of rows are worth nothing, but remain numbers. */
const LARGEST_POWER = 650;

/**
 * Chooses pivots among the keys of a bin and writes all others by them: Σ_l e^⟨q, k_l⟩ v_l is near Σ_s e^⟨q, k_s⟩ (W V)_s, with the weights
 * W_sl = (H⁻¹ h)_sl e^(factor (‖k_l‖² − ‖k_s‖²)/2), which may be negative.
 *
 * @param rows [count, width], centred.
 * @param values [count, valueFeatures]
 * @param squares [count]: ‖k‖².
 */
export function weighPivots(
  rows: Float64Array,
  values: Float32Array,
  squares: Float64Array,
  factor: number,
  most: number,
  random: RandomStream,
): WeightedPivots {
  const count = squares.length, width = rows.length / count, valueFeatures = values.length / count;
  const pivots = choosePivots(rows, width, squares, factor, most, random), { places } = pivots;
  const weights = solveWeights(pivots, count);
  const logWeights = new Float64Array(places.length), mass = new Float64Array(places.length);
  const value = new Float64Array(places.length * valueFeatures), sums = new Float64Array(valueFeatures);
  places.forEach((place, s) => {
    const own = weights.subarray(s * count, (s + 1) * count);
    let size = 0, sum = 0;
    sums.fill(0);
    for (let l = 0; l < count; l++) {
      if (own[l] === 0) continue;
      const power = Math.min(LARGEST_POWER, factor * (squares[l] - squares[place]) / 2);
      const weight = own[l] * Math.exp(power);
      size += Math.abs(weight);
      sum += weight;
      for (let c = 0, at = l * valueFeatures; c < valueFeatures; c++, at++) sums[c] += weight * values[at];
    }
    logWeights[s] = Math.log(size);
    mass[s] = sum / size;
    for (let c = 0; c < valueFeatures; c++) value[s * valueFeatures + c] = sums[c] / size;
  });
  return { places, logWeights, mass, value };
}
