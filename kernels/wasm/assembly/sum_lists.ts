// deno-fmt-ignore-file: AssemblyScript
import { logarithm } from "./logarithm";
import { addScaled, copyFloats, innerProduct, multiplyAdd, sumOfLanes } from "./simd";
import { EMPTY } from "./tile_softmax";

@unmanaged
class ListArguments {
  key: usize;
  value: usize;
  /** [heads, count, width], in the order of the tree. */
  rows: usize;
  weights: usize;
  gains: usize;
  logMass: usize;
  threshold: usize;
  first: usize;
  centre: usize;
  listKey: usize;
  listValue: usize;
  logWeight: usize;
  heads: u32;
  centres: u32;
  count: u32;
  width: u32;
  features: u32;
  valueFeatures: u32;
  most: u32;
}

/** The list of one centre. */
export function sumListsTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<ListArguments>(operation), head = task / args.centres, count = args.count;
  const keyBytes = <usize>args.features << 2, valueBytes = <usize>args.valueFeatures << 2;
  const rowBytes = <usize>args.width << 2, base = <usize>head * count;
  const keys = args.key + base * keyBytes, values = args.value + base * valueBytes, rows = args.rows + base * rowBytes;
  const weights = args.weights + ((<usize>task * count) << 2), gains = args.gains + ((<usize>task * count) << 2);
  const threshold = load<f32>(args.threshold + (<usize>head << 2)), centre = args.centre + <usize>task * keyBytes;
  const logMass = <f64>load<f32>(args.logMass + (<usize>task << 2));
  let entry = <usize>head * args.most + load<u32>(args.first + (<usize>task << 2));
  for (let begin: u32 = 0, end: u32 = 1; begin < count; begin = end++, ++entry) {
    while (end < count && load<f32>(gains + (<usize>end << 2)) < threshold) ++end;
    const key = args.listKey + entry * keyBytes, value = args.listValue + entry * valueBytes;
    let mass: f32 = 0;
    for (let j = begin; j < end; ++j) mass += load<f32>(weights + (<usize>j << 2));
    if (end - begin === 1 || mass === 0) {
      copyFloats(key, keys + <usize>begin * keyBytes, args.features);
      copyFloats(value, values + <usize>begin * valueBytes, args.valueFeatures);
    } else {
      meanOf(key, keys, weights, begin, end, mass, args.features);
      meanOf(value, values, weights, begin, end, mass, args.valueFeatures);
    }
    let logWeight: f32 = EMPTY;
    if (mass > 0) {
      const spread: f32 = end - begin === 1 ? 0 : varianceOf(scratch, rows, weights, begin, end, mass, args.width) / 2;
      const known = logarithm(<f64>mass) + logMass - <f64>innerProduct(centre, key, args.features);
      logWeight = <f32>(known + <f64>spread);
    }
    store<f32>(args.logWeight + (entry << 2), logWeight);
  }
  if (task % args.centres !== args.centres - 1) return;
  const end = <usize>(head + 1) * args.most;
  memory.fill(args.listKey + entry * keyBytes, 0, (end - entry) * keyBytes);
  memory.fill(args.listValue + entry * valueBytes, 0, (end - entry) * valueBytes);
  for (; entry < end; ++entry) store<f32>(args.logWeight + (entry << 2), EMPTY);
}

/** Weighted mean of rows. */
function meanOf(to: usize, rows: usize, weights: usize, begin: u32, end: u32, mass: f32, width: u32): void {
  const stride = <usize>width << 2, inverse = <f32>1 / mass;
  memory.fill(to, 0, stride);
  for (let j = begin; j < end; ++j) {
    const w = load<f32>(weights + (<usize>j << 2));
    if (w > 0) addScaled(to, rows + <usize>j * stride, w * inverse, width);
  }
}

/** Weighted variance of rows. */
function varianceOf(
  mean: usize,
  rows: usize,
  weights: usize,
  begin: u32,
  end: u32,
  mass: f32,
  width: u32,
): f32 {
  const stride = <usize>width << 2;
  meanOf(mean, rows, weights, begin, end, mass, width);
  let variance: f32 = 0;
  for (let j = begin; j < end; ++j) {
    const w = load<f32>(weights + (<usize>j << 2));
    if (w > 0) variance += w / mass * squaredDistance(rows + <usize>j * stride, mean, width);
  }
  return variance;
}

function squaredDistance(a: usize, b: usize, left: u32): f32 {
  let sums = f32x4.splat(0);
  for (; left >= 4; left -= 4, a += 16, b += 16) {
    const difference = f32x4.sub(v128.load(a), v128.load(b));
    sums = multiplyAdd(difference, difference, sums);
  }
  let sum = sumOfLanes(sums);
  for (; left > 0; --left, a += 4, b += 4) {
    const difference = load<f32>(a) - load<f32>(b);
    sum += difference * difference;
  }
  return sum;
}
