import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { largestSingularValue } from "./largest_singular_value.ts";

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
    for (let i = 0; i < queries; i++) {
      const row = this.softmax.subarray(i * keys, (i + 1) * keys);
      let largest = -Infinity;
      for (let j = 0; j < keys; j++) {
        let product = 0;
        for (let t = 0; t < features; t++) {
          product += query.data[i * features + t] * key.data[j * features + t];
        }
        row[j] = scale * product;
        largest = Math.max(largest, row[j]);
      }
      let total = 0;
      for (let j = 0; j < keys; j++) total += row[j] = Math.exp(row[j] - largest);
      this.logRowSums[i] = largest + Math.log(total);
      for (let j = 0; j < keys; j++) {
        row[j] /= total;
        for (let c = 0; c < valueFeatures; c++) {
          this.output[i * valueFeatures + c] += row[j] * value.data[j * valueFeatures + c];
        }
      }
    }
  }

  /** ‖P‖, from below; see {@link largestSingularValue}. */
  get softmaxNorm(): number {
    const { queries, keys } = this.problem;
    return this.#softmaxNorm ??= largestSingularValue(this.softmax, queries, keys);
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
