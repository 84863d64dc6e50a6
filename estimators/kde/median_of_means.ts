import { logAddExp } from "./log_domain.ts";

/** How draws are grouped: the answer is the median of the means of the groups. */
export interface MedianPlan {
  /** Odd. */
  readonly groups: number;
  /** Draws that each group averages. */
  readonly perGroup: number;
}

const MOST_GROUPS = 199;

/**
 * The cheapest median of means whose relative error is at most epsilon with probability 1 − delta, for independent draws
 * of a relative variance (variance over squared mean). A group of g draws fails with probability at most
 * q = variance/(g epsilon²) (Chebyshev), and the median only when half of the groups do: P(Binomial(groups, q) > groups/2).
 * Every number of groups is tried with the largest q that it allows; the exact binomial tail takes far fewer draws than
 * the usual exponential bound.
 */
export function planMedianOfMeans(relativeVariance: number, epsilon: number, delta: number): MedianPlan {
  let best: MedianPlan = { groups: 1, perGroup: Infinity };
  for (let groups = 1; groups <= MOST_GROUPS; groups += 2) {
    const allowed = groupFailure(groups, delta);
    const perGroup = Math.max(1, Math.ceil(relativeVariance / (allowed * epsilon ** 2)));
    if (groups * perGroup < best.groups * best.perGroup) best = { groups, perGroup };
    // Each group needs variance/(epsilon²/2) draws at the least.
    if (groups * 2 * relativeVariance / epsilon ** 2 > best.groups * best.perGroup) break;
  }
  return best;
}

/** The largest failure probability of one group for which the median fails with probability at most delta. */
export function groupFailure(groups: number, delta: number): number {
  let low = 0, high = 0.5;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (majorityProbability(groups, middle) <= delta) low = middle;
    else high = middle;
  }
  return low;
}

/** P(Binomial(groups, q) > groups/2), groups odd. */
export function majorityProbability(groups: number, q: number): number {
  if (q <= 0) return 0;
  let logChoose = 0, total = 0;
  for (let failed = 0; failed <= groups; failed++) {
    if (failed > groups / 2) {
      total += Math.exp(logChoose + failed * Math.log(q) + (groups - failed) * Math.log1p(-q));
    }
    logChoose += Math.log((groups - failed) / (failed + 1));
  }
  return total;
}

/** Collects the draws of several queries and takes each one's median of means, in logarithms throughout. */
export class MedianOfMeans {
  readonly #plan: MedianPlan;
  /** [queries, groups]: ln of the sum of the draws. */
  readonly #logSums: Float64Array;

  constructor(queries: number, plan: MedianPlan) {
    this.#plan = plan;
    this.#logSums = new Float64Array(queries * plan.groups).fill(-Infinity);
  }

  /** Adds to draw number `draw` of a query; draws that nothing is added to are 0. */
  add(query: number, draw: number, logValue: number): void {
    const at = query * this.#plan.groups + draw % this.#plan.groups;
    this.#logSums[at] = logAddExp(this.#logSums[at], logValue);
  }

  /** [queries] */
  logMedians(): Float64Array {
    const { groups, perGroup } = this.#plan, middle = (groups - 1) / 2;
    return Float64Array.from({ length: this.#logSums.length / groups }, (_, query) => {
      const sums = this.#logSums.slice(query * groups, (query + 1) * groups).sort();
      return sums[middle] - Math.log(perGroup);
    });
  }
}
