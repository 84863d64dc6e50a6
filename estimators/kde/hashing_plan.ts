import { collisionProbability } from "./euclidean_hash.ts";

/** How the tables of the hashing-based estimator hash, and what one draw from one of them is worth. */
export interface HashingPlan {
  readonly functions: number;
  readonly width: number;
  /** Expected number of points in a table. */
  readonly tablePoints: number;
  /** Bound on the second moment of a draw, over the squared floor, for every density from the floor on. */
  readonly relativeVariance: number;
}

const GRID = 48;
/** Numbers of functions tried beyond the best one. */
const PATIENCE = 4;
const WIDTHS = [0.5, 0.75, 1, 1.5, 2, 3, 4, 6];

/**
 * Chooses width and number of functions so that a query costs least, draws × (functions + 1) inner products and
 * distances.
 *
 * A draw is Z = k(x)·|bucket|/(s·p(x)) with x uniform in the query's bucket, p(x) the probability that x is in it and
 * s the expected number of points in a table. Two points are in the bucket together with probability at most
 * min(p(x), p(y)), so E Z² <= mean over x, y of k(x)²/p(x)² · min(p(x), p(y)) + mean over x of k(x)²/p(x) / s. Both
 * are largest over all sets of points whose mean kernel is at most the floor: a linear program with two constraints, whose
 * value is a concave envelope. Beyond the floor itself the relative variance only falls.
 */
export function planHashing(floor: number, count: number): HashingPlan {
  const furthest = Math.sqrt(2 * Math.log(1 / floor)) + 3;
  const distances = Array.from({ length: GRID }, (_, at) => furthest * (1 - at / (GRID - 1)));
  const kernel = distances.map((r) => Math.exp(-r * r / 2));
  // More points than this in a table no longer lower the variance by much.
  const tablePoints = Math.min(count, Math.max(1, Math.ceil(2 / Math.sqrt(floor))));
  let best: HashingPlan = { functions: 0, width: 1, tablePoints, relativeVariance: Infinity };
  let leastCost = Infinity;
  // The cost falls and then rises with the number of functions, so the search ends when it no longer falls.
  for (let functions = 0; functions <= best.functions + PATIENCE; functions++) {
    for (const factor of functions === 0 ? [1] : WIDTHS) {
      const width = factor * furthest;
      const share = distances.map((r) => collisionProbability(r, width) ** functions);
      const secondMoment = envelope(
        kernel,
        kernel.map((k, x) => {
          const together = envelope(kernel, share.map((p) => Math.min(p, share[x])), floor);
          return (k / share[x]) ** 2 * together;
        }),
        floor,
      ) + envelope(kernel, kernel.map((k, x) => k ** 2 / share[x]), floor) / tablePoints;
      const relativeVariance = secondMoment / floor ** 2, cost = relativeVariance * (functions + 1);
      if (cost < leastCost) {
        leastCost = cost;
        best = { functions, width, tablePoints, relativeVariance };
      }
    }
  }
  return best;
}

/**
 * Largest Σ f value over weights f >= 0 with Σ f <= 1 and Σ f kernel <= floor: at most two points carry
 * weight. Kernel values ascend.
 */
export function envelope(kernel: readonly number[], value: readonly number[], floor: number): number {
  let most = 0;
  for (let b = 0; b < kernel.length; b++) {
    // One point, with as much weight as its kernel allows.
    most = Math.max(most, value[b] * Math.min(1, floor / kernel[b]));
    if (kernel[b] <= floor) continue;
    for (let a = 0; kernel[a] < floor; a++) {
      const weight = (floor - kernel[a]) / (kernel[b] - kernel[a]);
      most = Math.max(most, (1 - weight) * value[a] + weight * value[b]);
    }
  }
  return most;
}
