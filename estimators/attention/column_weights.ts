/** How much attention keys get. */
export interface ColumnWeights {
  /** [keys]: Σ_i ω_i P_ij, positive. */
  readonly mass: Float64Array;
  /** [keys]: √(Σ_i ω_i P_ij²) over its mean, plus a floor for keys that the rows at hand do not see. */
  readonly norm: Float32Array;
}

const LEAST_MASS = 1e-30, LEAST_NORM = 1e-3;

/** Weighted column sums and norms of softmax rows P [rows, keys]; row i counts ω_i. */
export function columnWeights(
  probabilities: Float32Array,
  keys: number,
  omega: Float64Array,
): ColumnWeights {
  const mass = new Float64Array(keys).fill(LEAST_MASS), square = new Float64Array(keys);
  for (let i = 0; i < omega.length; i++) {
    const weight = omega[i], start = i * keys;
    for (let j = 0; j < keys; j++) {
      const p = probabilities[start + j], weighted = weight * p;
      mass[j] += weighted;
      square[j] += weighted * p;
    }
  }
  let total = 0;
  for (let j = 0; j < keys; j++) total += square[j] = Math.sqrt(square[j]);
  const perKey = keys / total;
  return { mass, norm: Float32Array.from(square, (norm) => norm * perKey + LEAST_NORM) };
}
