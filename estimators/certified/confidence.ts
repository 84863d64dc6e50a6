/**
 * Confidence bounds for the mean of values in [0, 1], from the Chernoff bound with the Bernoulli relative entropy
 * (Hoeffding 1963, Theorem 1, and §6 for sampling without replacement): with probability at least 1 − delta,
 * kl(sample mean, mean) <= ln(1/delta) / count on either side. Valid for any distribution on [0, 1] and for every
 * count; near 0 it is of order ln(1/delta)/count, the rule of three.
 */

/** What the two terms of a divergence may lose to rounding as they cancel. */
const CANCELLED = 2 ** -50;

/** Relative entropy of a Bernoulli variable of mean p from one of mean q, in nats. */
export function bernoulliDivergence(p: number, q: number): number {
  const term = (a: number, b: number) => a === 0 ? 0 : a * Math.log(a / b);
  return term(p, q) + term(1 - p, 1 - q);
}

/** Largest mean that the sample allows: exceeded with probability at most `delta`. */
export function upperMeanBound(sampleMean: number, count: number, delta: number): number {
  return solve(sampleMean, 1, Math.log(1 / delta) / count);
}

/** Smallest mean that the sample allows: undercut with probability at most `delta`. */
export function lowerMeanBound(sampleMean: number, count: number, delta: number): number {
  return solve(sampleMean, 0, Math.log(1 / delta) / count);
}

/** Bounds are this close to what they bound, relatively. */
const CLOSE = 2 ** -46;

/**
 * Searches from the sample mean towards `end` for the q with divergence `level`, erring on the outer side. The divergence is convex in
 * q, so that Newton's steps from outside stay there but for rounding; where they leave the bracket it is halved.
 */
function solve(p: number, end: number, level: number): number {
  let inside = p, outside = end, excess = Infinity;
  for (let step = 0; step < 200 && Math.abs(inside - outside) > CLOSE * inside; step++) {
    const newton = outside - excess * outside * (1 - outside) / (outside - p);
    const isBetween = (newton - inside) * (outside - newton) > 0, halfway = (inside + outside) / 2;
    if (halfway === inside || halfway === outside) break;
    const next = isBetween ? newton : halfway;
    const found = bernoulliDivergence(p, next) - (level + CANCELLED);
    if (found > 0) [outside, excess] = [next, found];
    else inside = next;
  }
  return outside;
}
