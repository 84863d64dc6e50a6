import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import { uploadHeads } from "../../estimators/core/exact.ts";

/** Residual ‖PᵀP x − λx‖/λ at which the iteration ends: some squared singular value is then as close to λ. */
const TOLERANCE = 1e-3;
/** Relative change of the norm at which it ends too: with many singular values close together no residual gets small. */
const LEAST_CHANGE = 5e-4;
const MOST_ROUNDS = 20;

/**
 * Operator norm ‖P‖ of the softmax matrix of each head, by power iteration on PᵀP without ever holding P: P x is
 * attention with x as its value, and Pᵀ y is attention with queries and keys exchanged and every query weighted by
 * exp(−its log-sum-exp). Only vectors are held, their sums in float64, so n = 16,384 and more can be measured. The result
 * approaches ‖P‖ from below; since P maps 1 to 1 it is at least √(queries/keys).
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
  let norms: number[] = [];
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
    const next = Float32Array.from({ length: heads * keys }, (_, at) => mean[at] * Math.exp(logMass[at]));
    let settled = true;
    const previous = norms;
    norms = Array.from({ length: heads }, (_, head) => {
      const norm = euclideanNorm(image, head * queries, queries);
      const own = next.subarray(head * keys, (head + 1) * keys);
      let residual = 0;
      own.forEach((x, j) => residual += (x - norm ** 2 * direction[head * keys + j]) ** 2);
      settled &&= Math.sqrt(residual) <= TOLERANCE * norm ** 2 ||
        norm - (previous[head] ?? 0) <= LEAST_CHANGE * norm;
      normalise(own);
      return norm;
    });
    direction = next;
    if (settled) break;
  }
  return norms.map((norm) => Math.max(Math.sqrt(queries / keys), norm));
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
