// Exponential and logarithm to about one unit in the last place. The built-in functions may be off by many units, and on
// some adapters are; put in front of the kernels that need them. Where a compiler reassociates, as WGSL lets it, and Mesa's
// does, the two parts of ln 2 become one and e^x errs by up to |x| units.

// e^x for -87 <= x <= 88 (Cephes expf): x = n ln 2 + r, a polynomial in r, and n added to the exponent.
fn exponential(x: f32) -> f32 {
  let n = round(x * 1.4426950408889634);
  // ln 2 in two parts; the first is short enough that n times it is exact.
  let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x));
  var sum = fma(r, 1.9875691500e-4, 1.3981999507e-3);
  sum = fma(r, sum, 8.3334519073e-3);
  sum = fma(r, sum, 4.1665795894e-2);
  sum = fma(r, sum, 1.6666665459e-1);
  sum = fma(r, sum, 5.0000001201e-1);
  // 1.5 · 2^23 more puts n + 127 into the last bits; the shift leaves them alone.
  return fma(r * r, sum, r + 1.0) * bitcast<f32>(bitcast<u32>(n + 12583039.0) << 23u);
}

// The same of each of four.
fn exponentials(x: vec4f) -> vec4f {
  let n = round(x * 1.4426950408889634);
  let r = fma(n, vec4f(2.12194440e-4), fma(n, vec4f(-0.693359375), x));
  var sum = fma(r, vec4f(1.9875691500e-4), vec4f(1.3981999507e-3));
  sum = fma(r, sum, vec4f(8.3334519073e-3));
  sum = fma(r, sum, vec4f(4.1665795894e-2));
  sum = fma(r, sum, vec4f(1.6666665459e-1));
  sum = fma(r, sum, vec4f(5.0000001201e-1));
  return fma(r * r, sum, r + 1.0) * bitcast<vec4f>(bitcast<vec4u>(n + 12583039.0) << vec4u(23u));
}

// ln x for normal x > 0 (Cephes logf): x = 2^n (1 + f) with f near 0, and a polynomial in f.
fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  var n = f32(i32(bits >> 23u) - 126);
  var f = bitcast<f32>((bits & 0x7fffffu) | 0x3f000000u);
  if (f < 0.70710678) {
    f *= 2.0;
    n -= 1.0;
  }
  f -= 1.0;
  let square = f * f;
  var sum = fma(f, 7.0376836292e-2, -1.1514610310e-1);
  sum = fma(f, sum, 1.1676998740e-1);
  sum = fma(f, sum, -1.2420140846e-1);
  sum = fma(f, sum, 1.4249322787e-1);
  sum = fma(f, sum, -1.6668057665e-1);
  sum = fma(f, sum, 2.0000714765e-1);
  sum = fma(f, sum, -2.4999993993e-1);
  sum = fma(f, sum, 3.3333331174e-1);
  let low = fma(n, -2.12194440e-4, fma(f * square, sum, -0.5 * square));
  return fma(n, 0.693359375, f + low);
}
