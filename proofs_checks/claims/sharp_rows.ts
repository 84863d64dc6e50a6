import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import type { Budget, Method } from "../../estimators/methods/method.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";

/**
 * Rows of softmax matrices of norm 1 that answer ±m, m being the size of the values of a head: an output errs by 2m in a row or not at all,
 * as far as a row can. Heads differ in m and in which rows answer which.
 */
export interface SharpRows {
  readonly problem: Problem;
  /** [heads · group · n, 1] */
  readonly truth: Float32Array;
  /** [heads · group]: m, largest for the first key head. */
  readonly sizes: readonly number[];
}

/** Two kinds of queries and of keys, e^50 apart; values are what their rows answer, and as large as `size` in the last key head. */
export function sharpRows(n: number, heads = 1, group = 1, size = 1): SharpRows {
  const kinds = (rows: number) =>
    Float32Array.from({ length: rows * n }, (_, at) => (Math.floor(at / n) + at) % 2 ? 5 : -5);
  const query = kinds(heads * group), key = kinds(heads);
  const sizes = Array.from({ length: heads * group }, (_, at) => size * (heads - Math.floor(at / group)));
  const answers = (rows: Float32Array, some: number) =>
    rows.map((x, at) => Math.sign(x) * sizes[Math.floor(at / n) * some]);
  const problem = makeProblem(
    tensor(query, [heads * group, n, 1]),
    tensor(key, [heads, n, 1]),
    tensor(answers(key, group), [heads, n, 1]),
    { scale: 1 },
  );
  return { problem, truth: answers(query, 1), sizes };
}

/** Just enough rows for an error above ε‖P‖‖V‖ = εm√n: 2m√rows. A check that finds one of them puts it right. */
export function justEnough(epsilon: number, n: number): number {
  return Math.floor(epsilon ** 2 * n / 4) + 1;
}

/**
 * The right output with so many rows of one of its heads, drawn as well, on the far side.
 *
 * @param spared Rows of the first head that stay right.
 */
export function flipRows(
  { problem, truth }: SharpRows,
  rows: number,
  seed: number,
  stream = 0,
  spared: ReadonlySet<number> = new Set(),
): Float32Array {
  const { period } = problem,
    output = truth.slice(),
    random = new RandomStream(seed, Purpose.spoiltRows, stream);
  const first = period * random.integer(truth.length / period);
  const order = Array.from(random.distinct(period, period)).filter((row) => !spared.has(row));
  for (const row of order.slice(0, rows)) output[first + row] *= -1;
  return output;
}

/** ‖output − truth‖ / (‖P‖‖V‖) of the worst query head: rows have one number, so that the operator norm is the length. */
export function largestError({ problem: { period }, truth, sizes }: SharpRows, output: Float32Array): number {
  const squares = new Float64Array(sizes.length);
  output.forEach((x, at) => squares[Math.floor(at / period)] += (x - truth[at]) ** 2);
  return squares.reduce(
    (worst, square, head) => Math.max(worst, Math.sqrt(square / period) / sizes[head]),
    0,
  );
}

/** A method that answers what it is given, and costs next to nothing, so that attempts are made as long as they may be. */
export function wrongMethod(answer: (budget: Budget) => Float32Array): Method {
  return {
    summary: "answers what it is given",
    source: "none",
    random: true,
    withinBudget: true,
    usualError: 1e-3,
    unseenEvaluations: 0,
    attend: (_, { queries, heads }, budget) =>
      Promise.resolve({
        output: answer(budget),
        logSumExp: new Float32Array(heads * queries),
        keyEvaluations: heads * queries,
      }),
  };
}
