// deno-fmt-ignore-file: AssemblyScript
const SQRT_HALF: f64 = 0.7071067811865476;
const LN_2: f64 = 0.6931471805599453;

/**
 * ln x for a normal positive x, in double precision: x = 2^e·m with m near 1, and ln m = 2·artanh((m-1)/(m+1))
 * by its series, which has passed 1e-17 after ten terms. AssemblyScript's own would bring tables along.
 */
export function logarithm(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32> (bits >> 52) - 1022;
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3fe0000000000000);
  if (mantissa < SQRT_HALF) {
    mantissa *= 2;
    exponent -= 1;
  }
  const s = (mantissa - 1) / (mantissa + 1), square = s * s;
  let sum: f64 = 1.0 / 21.0;
  for (let odd: f64 = 19; odd > 0; odd -= 2) sum = 1.0 / odd + square * sum;
  return <f64> exponent * LN_2 + 2 * s * sum;
}
