// deno-fmt-ignore-file: AssemblyScript
const SQRT_HALF: f64 = 0.7071067811865476;
const LN_2: f64 = 0.6931471805599453;

/**
 * ln x for a normal positive x, to about 1e-12: x = 2^e·m with m near 1, and ln m = 2·artanh((m-1)/(m+1)) by the
 * first terms of its series. Double precision, because the caller adds it to a logit of any size and
 * rounds once.
 */
export function logarithm(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32>(bits >> 52) - 1022;
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3fe0000000000000);
  if (mantissa < SQRT_HALF) {
    mantissa *= 2;
    exponent -= 1;
  }
  const s = (mantissa - 1) / (mantissa + 1), z = s * s;
  const low = 1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0)));
  const high = 1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0)));
  return <f64>exponent * LN_2 + 2 * s * (low + z * z * (z * z) * high);
}
