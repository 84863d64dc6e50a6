import type { Backend } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";

/**
 * Products with the softmax matrix P of each head, which is never held: P x is attention with x as its value, and Pᵀ y is attention with
 * queries and keys exchanged and every query weighted by exp(−its log-sum-exp). Several vectors go together, since logits cost more than
 * they do. Vectors lie head behind head and go to the device in f32; they come back in float64.
 */
export class SoftmaxProducts {
  readonly #backend: Backend;
  readonly #problem: Problem;
  readonly #signal?: AbortSignal;
  #logSums?: Float32Array;
  #keyEvaluations = 0;

  /**
   * @param problem Its values are not read.
   * @throws {RangeError} If it hides keys: Pᵀ y is then not an attention of this form.
   */
  constructor(backend: Backend, problem: Problem, signal?: AbortSignal) {
    if (problem.causalOffset !== undefined || problem.logWeights !== undefined) {
      throw new RangeError("Cannot measure the softmax norm: every key must be visible to every query");
    }
    this.#backend = backend;
    this.#problem = problem;
    this.#signal = signal;
  }

  /** Logits that were computed. */
  get keyEvaluations(): number {
    return this.#keyEvaluations;
  }

  /** P x of each x [heads, keys]: [heads, queries]. */
  async forward(vectors: readonly ArrayLike<number>[]): Promise<Float64Array[]> {
    const { output, logSumExp } = await this.#attend(this.#problem, vectors);
    this.#logSums = logSumExp;
    return apart(output, vectors.length);
  }

  /** Pᵀ y of each y [heads, queries]: [heads, keys]. After `forward`, which finds the rows' sums. */
  async backward(vectors: readonly ArrayLike<number>[]): Promise<Float64Array[]> {
    const { query, key, queries, keys } = this.#problem;
    const turned = { query: key, key: query, queries: keys, keys: queries, period: keys };
    const logWeights = this.#logSums!.map((sum) => -sum);
    const { output, logSumExp } = await this.#attend({ ...this.#problem, ...turned, logWeights }, vectors);
    const means = apart(output, vectors.length), masses = Float64Array.from(logSumExp, Math.exp);
    return means.map((mean) => mean.map((x, at) => x * masses[at]));
  }

  /** Sum of the squares of all entries of P of each head: row by row the sum of exponentials at twice the scale. */
  async squaredFrobenius(): Promise<Float64Array> {
    const { heads, queries, keys, scale } = this.#problem, value = [new Float32Array(heads * keys)];
    if (!this.#logSums) await this.forward(value);
    const { logSumExp } = await this.#attend({ ...this.#problem, scale: 2 * scale }, value);
    const sums = new Float64Array(heads);
    logSumExp.forEach((log, row) =>
      sums[Math.floor(row / queries)] += Math.exp(log - 2 * this.#logSums![row])
    );
    return sums;
  }

  async #attend(problem: Problem, vectors: readonly ArrayLike<number>[]) {
    const { heads, queries, keys } = problem, width = vectors.length;
    const value = new Float32Array(heads * keys * width);
    vectors.forEach((vector, c) => {
      for (let at = 0; at < vector.length; at++) value[at * width + c] = vector[at];
    });
    this.#keyEvaluations += heads * queries * keys;
    return await exactAttention(this.#backend, { ...problem, value, valueFeatures: width }, {
      signal: this.#signal,
    });
  }
}

/** Columns of [rows, width]. */
function apart(values: Float32Array, width: number): Float64Array[] {
  const rows = values.length / width;
  return Array.from({ length: width }, (_, c) => {
    const column = new Float64Array(rows);
    for (let row = 0; row < rows; row++) column[row] = values[row * width + c];
    return column;
  });
}
