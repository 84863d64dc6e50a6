// deno-fmt-ignore-file: AssemblyScript
/** a·b + c in four lanes, fused where the engine has relaxed SIMD. */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four lanes. */
@inline
export function sumOfLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Largest of the four lanes, none of them NaN. */
@inline
export function largestOfLanes(v: v128): f32 {
  const pairs = f32x4.pmax(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  const a = f32x4.extract_lane(pairs, 0), b = f32x4.extract_lane(pairs, 1);
  return a < b ? b : a;
}

/** Stores four columns, `step` bytes apart, of a matrix that is given by its rows. */
@inline
export function storeTransposed(to: usize, step: usize, a: v128, b: v128, c: v128, d: v128): void {
  const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5), high = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const low2 = v128.shuffle<f32>(c, d, 0, 4, 1, 5), high2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(low, low2, 0, 2));
  v128.store(to + step, v128.shuffle<f64>(low, low2, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<f64>(high, high2, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<f64>(high, high2, 1, 3));
}

/** n rounded up to a multiple of 4. */
@inline
export function upToFour(n: u32): u32 {
  return (n + 3) & ~3;
}

/** n rounded up to a multiple of 8. */
@inline
export function upToEight(n: u32): u32 {
  return (n + 7) & ~7;
}

/** Copies `count` floats; the regions may not overlap. */
export function copyFloats(to: usize, from: usize, count: u32): void {
  const end = from + ((<usize>count) << 2);
  while (from + 16 <= end) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  while (from < end) {
    store<f32>(to, load<f32>(from));
    to += 4;
    from += 4;
  }
}

/** sums += weight · row. */
export function addScaled(sums: usize, row: usize, weight: f32, width: u32): void {
  const factor = f32x4.splat(weight), end = row + (<usize>width << 2);
  for (; row + 16 <= end; row += 16, sums += 16) {
    v128.store(sums, multiplyAdd(factor, v128.load(row), v128.load(sums)));
  }
  for (; row < end; row += 4, sums += 4) store<f32>(sums, load<f32>(sums) + weight * load<f32>(row));
}

/** Inner product, in two chains of sums. */
export function innerProduct(a: usize, b: usize, width: u32): f32 {
  const end = a + (<usize>width << 2);
  let first = f32x4.splat(0), second = first;
  for (; a + 32 <= end; a += 32, b += 32) {
    first = multiplyAdd(v128.load(a), v128.load(b), first);
    second = multiplyAdd(v128.load(a, 16), v128.load(b, 16), second);
  }
  for (; a + 16 <= end; a += 16, b += 16) first = multiplyAdd(v128.load(a), v128.load(b), first);
  let sum = sumOfLanes(f32x4.add(first, second));
  for (; a < end; a += 4, b += 4) sum += load<f32>(a) * load<f32>(b);
  return sum;
}
