// deno-fmt-ignore-file: AssemblyScript

/**
 * Bits of the largest |x| of the first `count` floats of memory. Without their signs, floats are ordered as integers, with
 * Infinity and NaN on top.
 */
export function largest(count: u32): i32 {
  const unsigned = i32x4.splat(0x7fffffff);
  let a = i32x4.splat(0), b = a, c = a, d = a;
  let at: usize = 0;
  const end = at + (<usize>count << 2);
  for (; at + 64 <= end; at += 64) {
    a = i32x4.max_s(a, v128.and(v128.load(at), unsigned));
    b = i32x4.max_s(b, v128.and(v128.load(at, 16), unsigned));
    c = i32x4.max_s(c, v128.and(v128.load(at, 32), unsigned));
    d = i32x4.max_s(d, v128.and(v128.load(at, 48), unsigned));
  }
  a = i32x4.max_s(i32x4.max_s(a, b), i32x4.max_s(c, d));
  let most = max(
    max(i32x4.extract_lane(a, 0), i32x4.extract_lane(a, 1)),
    max(i32x4.extract_lane(a, 2), i32x4.extract_lane(a, 3)),
  );
  for (; at < end; at += 4) most = max(most, load<i32>(at) & 0x7fffffff);
  return most;
}
