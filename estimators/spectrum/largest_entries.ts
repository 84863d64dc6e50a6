import type { Problem } from "../core/problem.ts";
import { rowMean } from "../kde/centred_points.ts";
import { squaredRow } from "../linear_algebra/squared_row.ts";

/**
 * How large entries of a softmax matrix can be, told from lengths alone: about the mean k̄ of the keys no logit of row i is larger than
 * r_i = |scale| ‖q_i‖ max ‖k − k̄‖, and the mean of exponentials is at least the exponential of the mean logit, which is 1. So no entry exceeds
 * e^{r_i}/n_k, nor does the row's sum of squares, whose entries sum to 1.
 *
 * @param problem Of one head.
 * @param except Rows that do not count for the largest.
 * @returns The bounds' sum over all rows, which is also a bound on every column sum, and the largest over the rows that count.
 */
export function largestEntries(problem: Problem, except: Uint32Array): { total: number; largest: number } {
  const { query, key, queries, keys, features, scale } = problem, left = new Set(except);
  const centre = rowMean(key, features);
  let radius = 0;
  for (let j = 0; j < keys; j++) {
    let square = 0;
    for (let t = 0; t < features; t++) square += (key[j * features + t] - centre[t]) ** 2;
    radius = Math.max(radius, Math.sqrt(square));
  }
  let total = 0, largest = 0;
  for (let i = 0; i < queries; i++) {
    const reach = Math.abs(scale) * Math.sqrt(squaredRow(query, i * features, features)) * radius;
    const bound = Math.min(1, Math.exp(reach) / keys);
    total += bound;
    if (!left.has(i)) largest = Math.max(largest, bound);
  }
  return { total, largest };
}
