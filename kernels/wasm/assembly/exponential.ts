// deno-fmt-ignore-file: AssemblyScript
import { multiplyAdd } from "./simd";

// Constants live in memory, one broadcast load each: V8 builds a vector constant anew from general registers
// wherever it is used, which made the whole softmax a quarter slower.
const LOG2_E: usize = memory.data<f32>([
  1.4426950408889634,
  // Adding 1.5·2^23 rounds to an integer and leaves it in the low bits of the sum.
  12582912.0,
  // −ln 2 in two parts; the first is short enough that its product with an exponent is exact.
  -0.693359375, 2.12194440e-4,
  // e^r = 1 + r + r²·(…): Chebyshev fit on |r| <= ln(2)/2, 1e-8.
  0.0013926397077739239, 0.008363350294530392, 0.04166655242443085, 0.16666576266288757, 0.5, 1,
  // Below this argument the result is 0, so that no lane ever holds a denormal.
  -87.0,
]);
const ROUNDER = LOG2_E + 4, LN_2_HIGH = LOG2_E + 8, LN_2_LOW = LOG2_E + 12;
const SIXTH = LOG2_E + 16, FIFTH = LOG2_E + 20, FOURTH = LOG2_E + 24, THIRD = LOG2_E + 28, HALF = LOG2_E + 32;
const ONE = LOG2_E + 36, LOWEST = LOG2_E + 40;

/**
 * e^x in four lanes for x <= 0 or small positive x, within 2 ulp: x = n·ln 2 + r, then a polynomial in r
 * whose exponent bits are raised by n. Lanes below LOWEST, minus infinity among them, may compute anything
 * and are then cleared.
 */
@inline
export function exponential(x: v128): v128 {
  const rounded = multiplyAdd(x, v128.load_splat<f32>(LOG2_E), v128.load_splat<f32>(ROUNDER));
  const n = f32x4.sub(rounded, v128.load_splat<f32>(ROUNDER));
  let r = multiplyAdd(n, v128.load_splat<f32>(LN_2_HIGH), x);
  r = multiplyAdd(n, v128.load_splat<f32>(LN_2_LOW), r);
  let sum = multiplyAdd(r, v128.load_splat<f32>(SIXTH), v128.load_splat<f32>(FIFTH));
  sum = multiplyAdd(r, sum, v128.load_splat<f32>(FOURTH));
  sum = multiplyAdd(r, sum, v128.load_splat<f32>(THIRD));
  sum = multiplyAdd(r, sum, v128.load_splat<f32>(HALF));
  sum = multiplyAdd(r, sum, v128.load_splat<f32>(ONE));
  sum = multiplyAdd(r, sum, v128.load_splat<f32>(ONE));
  const power = i32x4.add(sum, i32x4.shl(rounded, 23));
  return v128.and(power, f32x4.ge(x, v128.load_splat<f32>(LOWEST)));
}

/** e^x of one number, under the same rules. */
export function exponentialOf(x: f32): f32 {
  return f32x4.extract_lane(exponential(f32x4.splat(x)), 0);
}
