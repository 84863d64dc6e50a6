import type { Backend } from "../kernels/backend.ts";
import type { Problem } from "../estimators/attention/problem.ts";
import { uploadHeads } from "../estimators/attention/exact.ts";

/** Relative change of the norm at which the iteration ends. */
const TOLERANCE = 1e-3;
const MOST_ROUNDS = 20;

/**
 * Operator norm ‖P‖ of the softmax matrix of each head, by power iteration on PᵀP without ever holding P: P x is
 * attention with x as its value, and Pᵀ y is attention with queries and keys exchanged and every query weighted by
 * exp(−its log-sum-exp). The result approaches ‖P‖ from below, and since 1 <= ‖P‖ it is at least 1.
 *
 * @throws {RangeError} If the problem hides keys: Pᵀ y is then not an attention of this form.
 */
export async function softmaxOperatorNorm(
  backend: Backend,
  problem: Problem,
  signal?: AbortSignal,
): Promise<number[]> {
  const { heads, queries, keys, features, scale } = problem;
  if (problem.causalOffset !== undefined || problem.logWeights !== undefined) {
    throw new RangeError("Cannot measure the softmax norm: every key must be visible to every query");
  }
  let direction: Float32Array = new Float32Array(heads * keys).fill(1 / Math.sqrt(keys));
  let norms: number[] = new Array(heads).fill(0);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const { query, key } = uploadHeads(backend, problem, 0, heads);
    const shape = { heads, features, scale, valueFeatures: 1 };
    const forward = backend.attend({ ...shape, queries, keys, query, key, value: backend.upload(direction) });
    const [image, logSumExp] = await backend.run([forward.output, forward.logSumExp], signal);
    const backward = backend.attend({
      ...shape,
      queries: keys,
      keys: queries,
      query: key,
      key: query,
      value: backend.upload(image),
      logWeights: backend.upload(Float32Array.from(logSumExp, (sum) => -sum)),
    });
    const [mean, logMass] = await backend.run([backward.output, backward.logSumExp], signal);
    backend.reset();
    const previous = norms;
    norms = Array.from({ length: heads }, (_, head) => euclideanNorm(image, head * queries, queries));
    direction = Float32Array.from({ length: heads * keys }, (_, at) => mean[at] * Math.exp(logMass[at]));
    for (let head = 0; head < heads; head++) normalise(direction.subarray(head * keys, (head + 1) * keys));
    if (norms.every((norm, head) => Math.abs(norm - previous[head]) <= TOLERANCE * norm)) break;
  }
  return norms.map((norm) => Math.max(1, norm));
}

function euclideanNorm(values: ArrayLike<number>, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at++) sum += values[at] ** 2;
  return Math.sqrt(sum);
}

function normalise(values: Float32Array): void {
  const norm = euclideanNorm(values, 0, values.length);
  for (let at = 0; at < values.length; at++) values[at] /= norm;
}
