import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";

/** Rows of a softmax matrix of norm 1 that answer 1 or −1: an output errs by 2 in a row or not at all, as far as a row can. */
export interface SharpRows {
  readonly problem: Problem;
  /** [heads · group · n, 1] */
  readonly truth: Float32Array;
}

/** Two kinds of queries and of keys, e^50 apart; values are what their rows answer. */
export function sharpRows(n: number, heads = 1, group = 1): SharpRows {
  const kinds = (rows: number) => Float32Array.from({ length: rows * n }, (_, at) => at % n % 2 ? 5 : -5);
  const query = kinds(heads * group), key = kinds(heads), value = key.map(Math.sign);
  const problem = makeProblem(
    tensor(query, [heads * group, n, 1]),
    tensor(key, [heads, n, 1]),
    tensor(value, [heads, n, 1]),
    { scale: 1 },
  );
  return { problem, truth: query.map(Math.sign) };
}

/** Just enough rows for an error above ε‖P‖‖V‖ = ε√n: 2√rows. A check that finds one of them puts it right. */
export function justEnough(epsilon: number, n: number): number {
  return Math.floor(epsilon ** 2 * n / 4) + 1;
}

/** The right output with so many rows of one of its heads, drawn as well, on the far side. */
export function flipRows(
  { problem, truth }: SharpRows,
  rows: number,
  seed: number,
  stream = 0,
): Float32Array {
  const { period } = problem,
    output = truth.slice(),
    random = new RandomStream(seed, Purpose.spoiltRows, stream);
  const first = period * random.integer(truth.length / period);
  for (const row of random.distinct(rows, period)) output[first + row] *= -1;
  return output;
}

/** ‖output − truth‖ of the worst query head: rows have one number, so that the operator norm is the length. */
export function largestError({ problem: { period }, truth }: SharpRows, output: Float32Array): number {
  const squares = new Float64Array(truth.length / period);
  output.forEach((x, at) => squares[Math.floor(at / period)] += (x - truth[at]) ** 2);
  return Math.sqrt(squares.reduce((a, b) => Math.max(a, b), 0));
}
