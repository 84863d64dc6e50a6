import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { rowsOf } from "../../estimators/linear_algebra/gram_images.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { type NormBounds, normBounds } from "./norm_bounds.ts";
import { SoftmaxRows } from "./softmax_rows.ts";

/** One attention problem solved by the formula in float64, independently of every kernel. */
export class Oracle {
  readonly problem: Problem;
  /** [queries, keys]: P. */
  readonly softmax: Float64Array;
  /** [queries]: ln D. */
  readonly logRowSums: Float64Array;
  /** [queries, valueFeatures]: P V. */
  readonly output: Float64Array;
  static readonly #known = new WeakMap<AttentionInput, Oracle>();
  #softmaxNorm?: number;
  #softmaxNormBounds?: NormBounds;
  #valueNorm?: number;

  /** That of an input, found once where several runs share it. */
  static of(input: AttentionInput): Oracle {
    const known = Oracle.#known.get(input) ?? new Oracle(input);
    Oracle.#known.set(input, known);
    return known;
  }

  constructor(input: AttentionInput) {
    const { query, key, value, scale } = input;
    this.problem = makeProblem(query, key, value, { scale });
    const { queries, keys, features, valueFeatures } = this.problem;
    this.softmax = new Float64Array(queries * keys);
    this.logRowSums = new Float64Array(queries);
    this.output = new Float64Array(queries * valueFeatures);
    const rows = new SoftmaxRows({ query: query.data, key: key.data, features, scale });
    const values = Float64Array.from(value.data);
    for (let i = 0; i < queries; i++) {
      const row = rows.row(i, this.softmax.subarray(i * keys, (i + 1) * keys));
      this.logRowSums[i] = rows.logSum;
      const output = this.output.subarray(i * valueFeatures, (i + 1) * valueFeatures);
      for (let j = 0, at = 0; j < keys; j++) {
        for (let c = 0; c < valueFeatures; c++, at++) output[c] += row[j] * values[at];
      }
    }
  }

  /** ‖P‖, from below; see {@link normBounds}. */
  get softmaxNorm(): number {
    return this.#softmaxNorm ??= this.#bounds(Infinity).lower;
  }

  /** ‖P‖ from both sides, to a thousandth. */
  get softmaxNormBounds(): NormBounds {
    return this.#softmaxNormBounds ??= this.#bounds();
  }

  #bounds(tolerance?: number): NormBounds {
    const { queries, keys } = this.problem;
    return normBounds(rowsOf(this.softmax, queries, keys), { nonNegative: true, tolerance });
  }

  /** ‖V‖. */
  get valueNorm(): number {
    const { value, keys, valueFeatures } = this.problem;
    return this.#valueNorm ??= operatorNorm(value, keys, valueFeatures);
  }

  /** ‖output − P V‖. */
  error(output: ArrayLike<number>): number {
    const { queries, valueFeatures } = this.problem;
    const difference = Float64Array.from(output, (x, at) => x - this.output[at]);
    return difference.every(Number.isFinite) ? operatorNorm(difference, queries, valueFeatures) : NaN;
  }

  /** ‖output − P V‖ / (‖P‖‖V‖), the error that the guarantee is about; 0 for no error, whatever the norms. */
  relativeError(output: ArrayLike<number>): number {
    const error = this.error(output);
    return error === 0 ? 0 : error / (this.softmaxNorm * this.valueNorm);
  }
}
