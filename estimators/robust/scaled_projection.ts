import { type Backend, EMPTY } from "../../kernels/backend.ts";
import { type DensityRows, seenRows } from "./density_rows.ts";
import { kernelRowMeans, kernelSums } from "./kernel_row_means.ts";

/** Relative gap to the optimum at which the search ends: weights change no more where it matters. */
const GAP = 1e-3;
/** Steps at which it ends at the latest. */
const MOST_STEPS = 400;

/** Weights by {@link projectedWeights}. */
export interface ProjectedWeights {
  /** [heads, keys], the largest of a head 1; 0 for hidden keys. */
  readonly weights: Float64Array;
  readonly kernelEvaluations: number;
  /** Largest bound, over the heads, of how far the objective is from its optimum, in units of its own size. */
  readonly gap: number;
}

/**
 * Scaled projection density estimate: the uniform estimate times β = 1/(1 − fraction), projected in the space of functions on the convex
 * hull of the kernels, min ½ wᵀGw − β/n 1ᵀGw over w >= 0, 1ᵀw = 1. Keys in sparse places lose their weight; many outliers in one place are
 * no sparse place.
 *
 * By accelerated projected gradients (Beck and Teboulle 2009) with step 1/max_j (G1)_j; every product Gw is an attention with distances for
 * logits, n² kernel values. It ends when the gap ⟨∇, w⟩ − min_j ∇_j, which bounds the distance to the optimum, is small.
 *
 * Source: Vandermeulen and Scott, "Robust kernel density estimation by scaling and projection in Hilbert space" (NeurIPS 2014).
 */
export async function projectedWeights(
  backend: Backend,
  rows: DensityRows,
  fraction: number,
  signal?: AbortSignal,
): Promise<ProjectedWeights> {
  const { heads, keys } = rows, beta = 1 / (1 - fraction);
  const { means, kernelEvaluations: each } = await kernelRowMeans(backend, rows, { signal });
  const seen = Array.from({ length: heads }, (_, head) => seenRows(head, keys, rows.logWeights));
  const largestSums = seen.map((own) =>
    own.length * own.reduce((most, row) => Math.max(most, means[row]), 0)
  );
  const linear = means.map((mean) => beta * mean);
  let weights = new Float64Array(heads * keys), before = weights, products = means, productsBefore = means;
  for (const own of seen) for (const row of own) weights[row] = 1 / own.length;
  before = weights;
  let gap = gapOf(seen, weights, products, linear), steps = 0;
  for (let momentum = 1; gap > GAP && steps < MOST_STEPS; steps++) {
    const next = (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2, factor = (momentum - 1) / next;
    const moved = new Float64Array(heads * keys);
    seen.forEach((own, head) => {
      const step = Float64Array.from(own, (row) => {
        const ahead = weights[row] + factor * (weights[row] - before[row]);
        const product = products[row] + factor * (products[row] - productsBefore[row]);
        return ahead - (product - linear[row]) / largestSums[head];
      });
      projectOnSimplex(step).forEach((w, at) => moved[own[at]] = w);
    });
    const logWeights = Float32Array.from(moved, (w) => w > 0 ? Math.log(w) : EMPTY);
    [before, weights] = [weights, moved];
    [productsBefore, products] = [
      products,
      await kernelSums(backend, rows, rows.data, keys, logWeights, signal),
    ];
    momentum = next;
    gap = gapOf(seen, weights, products, linear);
  }
  for (const own of seen) {
    const most = own.reduce((largest, row) => Math.max(largest, weights[row]), 0);
    for (const row of own) weights[row] /= most;
  }
  return { weights, kernelEvaluations: (1 + steps) * each, gap };
}

/** Largest relative gap of the heads. */
function gapOf(
  seen: readonly Uint32Array[],
  weights: Float64Array,
  products: Float64Array,
  linear: Float64Array,
): number {
  return Math.max(...seen.map((own) => {
    let along = 0, least = Infinity, objective = 0;
    for (const row of own) {
      const slope = products[row] - linear[row];
      along += weights[row] * slope;
      least = Math.min(least, slope);
      objective += weights[row] * (products[row] / 2 - linear[row]);
    }
    return (along - least) / Math.abs(objective);
  }));
}

/** The nearest point of the simplex, w >= 0 and 1ᵀw = 1 (Held, Wolfe and Crowder 1974). */
export function projectOnSimplex(point: Float64Array): Float64Array {
  const sorted = point.toSorted().reverse();
  let sum = 0, shift = 0;
  sorted.forEach((x, at) => {
    sum += x;
    const candidate = (sum - 1) / (at + 1);
    if (x > candidate) shift = candidate;
  });
  return point.map((x) => Math.max(0, x - shift));
}
