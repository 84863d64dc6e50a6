/** Steps of Newton's method from 0, which never overshoots on this side, and terms of the series at most. */
const STEPS = 100, TERMS = 500;

/**
 * x with Φ(x) = probability, Φ the distribution of standard normal numbers: Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/(3·5) + …), inverted by Newton's method.
 *
 * @param probability In [½, 1).
 */
export function normalQuantile(probability: number): number {
  let x = 0;
  for (let step = 0; step < STEPS; step++) {
    const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    let sum = x, term = x;
    for (let k = 1; k < TERMS && term > sum * Number.EPSILON; k++) sum += term *= x * x / (2 * k + 1);
    const moved = x + (probability - 0.5 - density * sum) / density;
    if (!(moved > x)) return x;
    x = moved;
  }
  return x;
}
