// deno-fmt-ignore-file: AssemblyScript
import { multiplyAdd } from "./simd";

/** Below this argument the result is 0, so that no lane ever holds a denormal. */
const LOWEST: f32 = -87.0;
const LOG2_E: f32 = 1.4426950408889634;
/** Adding 1.5·2^23 rounds to an integer and leaves it in the low bits of the sum. */
const ROUNDER: f32 = 12582912.0;
/** ln 2 in two parts; the first is short enough that its product with an exponent is exact. */
const LN_2_HIGH: f32 = 0.693359375;
const LN_2_LOW: f32 = -2.12194440e-4;

/**
 * e^x in four lanes for x <= 0 or small positive x, within 2 ulp: x = n·ln 2 + r, then a polynomial of degree
 * 6 in r (Chebyshev fit, 1e-8) whose exponent bits are raised by n. Lanes below LOWEST, minus infinity among them,
 * may compute anything and are then cleared.
 */
@inline
export function exponential(x: v128): v128 {
  const rounded = multiplyAdd(x, f32x4.splat(LOG2_E), f32x4.splat(ROUNDER));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDER));
  let r = multiplyAdd(n, f32x4.splat(-LN_2_HIGH), x);
  r = multiplyAdd(n, f32x4.splat(-LN_2_LOW), r);
  let sum = multiplyAdd(r, f32x4.splat(0.0013926397077739239), f32x4.splat(0.008363350294530392));
  sum = multiplyAdd(r, sum, f32x4.splat(0.04166655242443085));
  sum = multiplyAdd(r, sum, f32x4.splat(0.16666576266288757));
  sum = multiplyAdd(r, sum, f32x4.splat(0.5));
  sum = multiplyAdd(r, sum, f32x4.splat(1));
  sum = multiplyAdd(r, sum, f32x4.splat(1));
  const power = i32x4.add(sum, i32x4.shl(rounded, 23));
  return v128.and(power, f32x4.ge(x, f32x4.splat(LOWEST)));
}

/** e^x of one number, under the same rules. */
export function exponentialOf(x: f32): f32 {
  return f32x4.extract_lane(exponential(f32x4.splat(x)), 0);
}
