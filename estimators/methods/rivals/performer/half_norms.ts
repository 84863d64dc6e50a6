import { EMPTY, MASKED } from "../../../../kernels/backend.ts";
import { squaredNorms } from "../shared/row_norms.ts";

/** |scale| ‖x‖²/2 of each row: the exponents that make e^⟨w, x⟩ an unbiased feature of the softmax kernel. */
function halfNorms(rows: Float32Array, width: number, scale: number): Float64Array {
  return squaredNorms(rows, width).map((square) => Math.abs(scale) / 2 * square);
}

/** What their norms take off the logits of the keys of a head, as weights for `attend`, relative to the shortest key. */
export interface KeyWeights {
  /** [keys], at most 0. */
  readonly logWeights: Float32Array;
  /** ‖k‖²/2 of the shortest key, which all weights lack. */
  readonly least: number;
}

/** Weights of keys, [keys, width]. A key whose weight no f32 can hold is hidden: it has none. */
export function keyWeights(rows: Float32Array, width: number, scale: number): KeyWeights {
  const norms = halfNorms(rows, width, scale), least = norms.reduce((a, b) => Math.min(a, b));
  return { logWeights: Float32Array.from(norms, (norm) => Math.max(MASKED, least - norm)), least };
}

/** Log-sums below this are as good as none, but finite in f32 and above what stands for no key at all. */
const LEAST_SUM = MASKED / 10;

/** Log-sum-exp of estimates Σ e^⟨w, q⟩ …, with the norms of queries and of the shortest key, and the mean over features, put back. */
export function restoreSums(
  logSumExp: Float32Array,
  query: Float32Array,
  { least }: KeyWeights,
  { width, scale, features }: { readonly width: number; readonly scale: number; readonly features: number },
): Float32Array {
  const norms = halfNorms(query, width, scale), common = least + Math.log(features);
  return logSumExp.map((sum, row) => sum <= MASKED ? EMPTY : Math.max(LEAST_SUM, sum - norms[row] - common));
}
