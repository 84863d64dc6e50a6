import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import { SoftmaxProducts } from "../../estimators/spectrum/softmax_products.ts";

/** Upper over lower bound of the norm, less 1, at which the iteration ends. */
export const NORM_TOLERANCE = 5e-3;
/** So many rounds are refused rather than taken for an answer; all but contrived inputs take fewer than a hundred. */
const MOST_ROUNDS = 1000;
/** No component of a direction gets smaller: the upper bound divides by each of them. Far below what rounding lets matter. */
const LEAST_COMPONENT = 1e-30;

/**
 * Operator norm ‖P‖ of the softmax matrix of each head, all heads at once, by power iteration on PᵀP without ever holding P
 * (`SoftmaxProducts`). Only vectors are held, their sums in float64, so n = 16,384 and more can be measured.
 *
 * Two bounds enclose the norm. Every unit x gives ‖P x‖ <= ‖P‖. And since PᵀP has no negative entries, every x of positive
 * components gives ‖P‖² <= max_j (PᵀP x)_j/x_j (Collatz 1942; Wielandt 1950): the componentwise residual of PᵀP x = λx, which
 * unlike the residual's length tells the largest eigenvalue from the others, however close together they lie. The iteration ends
 * when the bounds are within {@link NORM_TOLERANCE} of each other, and the lower one is the result: up to rounding it is never
 * above ‖P‖ and never more than that below it. Since P maps 1 to 1 it is at least √(queries/keys).
 *
 * @throws {RangeError} If the problem hides keys: Pᵀ y is then not an attention of this form.
 * @throws {Error} If the bounds do not meet within {@link MOST_ROUNDS} rounds; it names them.
 */
export async function softmaxOperatorNorm(
  backend: Backend,
  problem: Problem,
  signal?: AbortSignal,
): Promise<number[]> {
  const { heads, queries, keys } = problem, products = new SoftmaxProducts(backend, problem, signal);
  let direction: Float32Array = new Float32Array(heads * keys).fill(1 / Math.sqrt(keys));
  const lower = new Array<number>(heads).fill(Math.sqrt(queries / keys));
  const upper = new Array<number>(heads).fill(Infinity);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const [image] = await products.forward([direction]), [next] = await products.backward([image]);
    const following = new Float32Array(heads * keys);
    for (let head = 0; head < heads; head++) {
      const own = direction.subarray(head * keys, (head + 1) * keys);
      const grown = next.subarray(head * keys, (head + 1) * keys);
      const length = euclideanNorm(own, 0, keys);
      lower[head] = Math.max(lower[head], euclideanNorm(image, head * queries, queries) / length);
      const ratio = grown.reduce((most, x, j) => Math.max(most, x / own[j]), 0);
      upper[head] = Math.min(upper[head], Math.sqrt(ratio));
      const scaled = 1 / euclideanNorm(grown, 0, keys);
      grown.forEach((x, j) => following[head * keys + j] = Math.max(LEAST_COMPONENT, x * scaled));
    }
    // No comparison with NaN holds: kernels that give one never settle the matter.
    const open = lower.findIndex((bound, head) => !(upper[head] <= (1 + NORM_TOLERANCE) * bound));
    if (open < 0) return lower;
    if (round === MOST_ROUNDS - 1 || !(upper[open] >= 0)) {
      throw new Error(
        `Cannot measure the softmax norm: that of head ${open} lies between ${lower[open]} and ${
          upper[open]
        } after ` +
          `${round + 1} rounds, and must be known to a factor of ${1 + NORM_TOLERANCE}`,
      );
    }
    direction = following;
  }
  return lower;
}

function euclideanNorm(values: ArrayLike<number>, start: number, length: number): number {
  let sum = 0;
  for (let at = start; at < start + length; at++) sum += values[at] ** 2;
  return Math.sqrt(sum);
}
