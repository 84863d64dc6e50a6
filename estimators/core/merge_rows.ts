import { MASKED } from "../../kernels/backend.ts";

/** Weighted means of values, [rows, width], and the logarithms of their weights, [rows]; EMPTY where there is nothing. */
export interface WeightedRows {
  readonly output: Float32Array | Float64Array;
  readonly logSumExp: Float32Array | Float64Array;
}

/** Merges rows over other keys into those over some, one by one, in float64. */
export function mergeRows(into: WeightedRows, other: WeightedRows, width: number): void {
  other.logSumExp.forEach((sum, row) => {
    if (sum <= MASKED) return;
    const before = into.logSumExp[row], largest = Math.max(before, sum);
    const share = Math.exp(sum - largest), total = Math.exp(before - largest) + share;
    for (let at = row * width; at < (row + 1) * width; at++) {
      into.output[at] += share / total * (other.output[at] - into.output[at]);
    }
    into.logSumExp[row] = largest + Math.log(total);
  });
}
