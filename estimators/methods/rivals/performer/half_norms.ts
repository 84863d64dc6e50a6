import { EMPTY, MASKED } from "../../../../kernels/backend.ts";

/** |scale| ‖x‖²/2 of each row: the exponents that make e^⟨w, x⟩ an unbiased feature of the softmax kernel. */
export function halfNorms(rows: Float32Array, width: number, scale: number): Float64Array {
  const norms = new Float64Array(rows.length / width);
  for (let row = 0; row < norms.length; row++) {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) sum += rows[at] * rows[at];
    norms[row] = Math.abs(scale) / 2 * sum;
  }
  return norms;
}

/** What a key's norm takes off its logits, as weights for `attend`, relative to the shortest key of its head. */
export interface KeyWeights {
  /** [heads, keys], at most 0. */
  readonly logWeights: Float32Array;
  /** [heads]: ‖k‖²/2 of the shortest key, which all weights lack. */
  readonly least: Float64Array;
}

/** Weights of keys, [heads, keys, width]. A key whose weight no f32 can hold is hidden: it has none. */
export function keyWeights(
  rows: Float32Array,
  heads: number,
  width: number,
  scale: number,
): KeyWeights {
  const norms = halfNorms(rows, width, scale), keys = norms.length / heads;
  const least = Float64Array.from({ length: heads }, (_, head) => {
    let smallest = Infinity;
    for (let at = head * keys; at < (head + 1) * keys; at++) smallest = Math.min(smallest, norms[at]);
    return smallest;
  });
  const logWeights = Float32Array.from(
    norms,
    (norm, at) => Math.max(MASKED, least[Math.floor(at / keys)] - norm),
  );
  return { logWeights, least };
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
  const norms = halfNorms(query, width, scale), queries = norms.length / least.length;
  return logSumExp.map((sum, row) =>
    sum <= MASKED
      ? EMPTY
      : Math.max(LEAST_SUM, sum - norms[row] - least[Math.floor(row / queries)] - Math.log(features))
  );
}
