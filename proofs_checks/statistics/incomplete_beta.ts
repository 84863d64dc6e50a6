/**
 * Regularised incomplete beta function I_x(a, b), the distribution function of the beta distribution and through it of
 * the binomial and Student's. Source: NIST Digital Library of Mathematical Functions, 8.17 and 5.11.
 */
import { check } from "./check.ts";

/** Coefficients B_{2k} / (2k (2k − 1)) of Stirling's series (DLMF 5.11.1). */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];
/** From here on the first term that the series leaves out is below 1e-16. */
const STIRLING_FROM = 10;

/** What Stirling's formula leaves of ln Γ(x): ln Γ(x) − (x − ½) ln x + x − ½ ln 2π, for x >= {@link STIRLING_FROM}. */
function stirlingRemainder(x: number): number {
  let sum = 0, power = 1 / x;
  for (const coefficient of STIRLING) {
    sum += coefficient * power;
    power /= x * x;
  }
  return sum;
}

/**
 * ln Γ(x) for x > 0, to about 15 digits away from its zeros at 1 and 2.
 *
 * @example
 * ```ts
 * import { logGamma } from "./incomplete_beta.ts";
 * console.log(Math.round(Math.exp(logGamma(6)))); // 120
 * ```
 *
 * @throws {RangeError} If x is not positive.
 */
export function logGamma(x: number): number {
  check("take ln Γ", x > 0, "x must be positive", x);
  let product = 1;
  for (; x < STIRLING_FROM; x++) product *= x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + stirlingRemainder(x) - Math.log(product);
}

/**
 * ln of x^a y^b / B(a, b) for y = 1 − x, arranged so that what is large in a and b cancels before it is rounded. Both x and y
 * are given, because a small one cannot be recovered from the other.
 */
function logDensityFactor(x: number, y: number, a: number, b: number): number {
  if (x > y) return logDensityFactor(y, x, b, a);
  const sum = a + b;
  if (a >= STIRLING_FROM && b >= STIRLING_FROM) {
    const excess = x * sum - a;
    const logX = excess < -a / 2 ? Math.log(x * (sum / a)) : Math.log1p(excess / a);
    const logY = excess > b / 2 ? Math.log(y * (sum / b)) : Math.log1p(-excess / b);
    return a * logX + b * logY + 0.5 * Math.log(a / sum * b / (2 * Math.PI)) +
      stirlingRemainder(sum) - stirlingRemainder(a) - stirlingRemainder(b);
  }
  const powers = a * Math.log(x) + b * Math.log1p(-x);
  const small = Math.min(a, b), large = Math.max(a, b);
  if (large < STIRLING_FROM) return powers + logGamma(sum) - logGamma(a) - logGamma(b);
  return powers + small * Math.log(sum) + (large - 0.5) * Math.log1p(small / large) - small +
    stirlingRemainder(sum) - stirlingRemainder(large) - logGamma(small);
}

/** Of order √max(a, b) are needed. */
const MOST_TERMS = 100_000;

/**
 * I_x(a, b) by its continued fraction (DLMF 8.17.22, evaluated by the method of Lentz as modified by Thompson and
 * Barnett 1986), on the side of the mean where it converges fast.
 *
 * @example
 * ```ts
 * import { incompleteBeta } from "./incomplete_beta.ts";
 * console.log(incompleteBeta(0.5, 2, 2).toFixed(12)); // 0.500000000000
 * ```
 *
 * @param x In [0, 1].
 * @throws {RangeError} If x is not in [0, 1], or a or b is not positive.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  return Math.exp(logIncompleteBeta(x, a, b));
}

/**
 * ln I_x(a, b), for values too small to be held; see {@link incompleteBeta}.
 *
 * @throws {RangeError} As {@link incompleteBeta}.
 */
export function logIncompleteBeta(x: number, a: number, b: number): number {
  const action = "take the incomplete beta function";
  check(action, x >= 0 && x <= 1, "x must be from 0 to 1", x);
  check(action, a > 0 && a < Infinity, "a must be positive and finite", a);
  check(action, b > 0 && b < Infinity, "b must be positive and finite", b);
  if (x === 0 || x === 1) return Math.log(x);
  return x <= (a + 1) / (a + b + 2)
    ? logDensityFactor(x, 1 - x, a, b) - Math.log(a * continuedFraction(x, a, b))
    : Math.log1p(-Math.exp(logDensityFactor(x, 1 - x, a, b)) / (b * continuedFraction(1 - x, b, a)));
}

/** 1 + d₁/(1 + d₂/(1 + …)). */
function continuedFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let fraction = 1, c = 1, d = 0;
  for (let term = 1; term <= MOST_TERMS; term++) {
    const m = Math.floor(term / 2);
    const coefficient = term % 2 === 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + coefficient * d || tiny);
    c = 1 + coefficient / c || tiny;
    fraction *= c * d;
    if (Math.abs(c * d - 1) <= 2 ** -52) return fraction;
  }
  throw new RangeError(
    `Cannot take the incomplete beta function: ${MOST_TERMS} terms must suffice: a is ${a} and b is ${b}`,
  );
}

/**
 * The x at which an increasing function on [low, high] reaches a level, by bisection down to neighbouring numbers;
 * the end it runs into if the function stays on one side.
 */
export function solveIncreasing(
  increasing: (x: number) => number,
  level: number,
  low: number,
  high: number,
): number {
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return increasing(low) >= level ? low : high;
    if (increasing(middle) < level) low = middle;
    else high = middle;
  }
}
