// deno-fmt-ignore-file: AssemblyScript
import { multiplyAdd, sumOfLanes } from "./simd";

/** ‖a · factor − b · otherFactor‖² */
export function squaredDistance(a: usize, factor: f32, b: usize, otherFactor: f32, width: u32): f32 {
  const first = f32x4.splat(factor), second = f32x4.splat(otherFactor);
  let sums = f32x4.splat(0), left = width;
  for (; left >= 4; left -= 4, a += 16, b += 16) {
    const difference = f32x4.sub(f32x4.mul(v128.load(a), first), f32x4.mul(v128.load(b), second));
    sums = multiplyAdd(difference, difference, sums);
  }
  let sum = sumOfLanes(sums);
  for (; left > 0; --left, a += 4, b += 4) {
    const difference = load<f32>(a) * factor - load<f32>(b) * otherFactor;
    sum += difference * difference;
  }
  return sum;
}
