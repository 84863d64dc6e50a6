// deno-fmt-ignore-file: AssemblyScript
import { logarithm } from "./logarithm";
import { squaredDistance, sumRows } from "./row_sums";
import { copyFloats, innerProduct } from "./simd";
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
    let mass: f32 = 0, held = scratch;
    for (let j = begin; j < end; ++j) {
      const w = load<f32>(weights + (<usize>j << 2));
      if (w === 0) continue;
      mass += w;
      store<u32>(held, j);
      held += 4;
    }
    const length = <u32>((held - scratch) >> 2), mean = scratch + (<usize>count << 2);
    let logWeight: f32 = EMPTY;
    if (length < 2) {
      const only = length ? load<u32>(scratch) : begin;
      copyFloats(key, keys + <usize>only * keyBytes, args.features);
      copyFloats(value, values + <usize>only * valueBytes, args.valueFeatures);
    } else {
      const inverse = <f32>1 / mass;
      sumRows(key, scratch, length, keys, keyBytes, weights);
      multiply(key, inverse, args.features);
      sumRows(value, scratch, length, values, valueBytes, weights);
      multiply(value, inverse, args.valueFeatures);
    }
    if (mass > 0) {
      let scatter: f32 = 0;
      if (length > 1) {
        sumRows(mean, scratch, length, rows, rowBytes, weights);
        multiply(mean, <f32>1 / mass, args.width);
        for (let at = scratch; at < held; at += 4) {
          const row = <usize>load<u32>(at);
          scatter += load<f32>(weights + (row << 2)) * squaredDistance(rows + row * rowBytes, mean, rowBytes);
        }
      }
      const known = logarithm(<f64>mass) + logMass - <f64>innerProduct(centre, key, args.features);
      logWeight = <f32>(known + <f64>(scatter / mass / 2));
    }
    store<f32>(args.logWeight + (entry << 2), logWeight);
  }
  if (task % args.centres !== args.centres - 1) return;
  const end = <usize>(head + 1) * args.most;
  memory.fill(args.listKey + entry * keyBytes, 0, (end - entry) * keyBytes);
  memory.fill(args.listValue + entry * valueBytes, 0, (end - entry) * valueBytes);
  for (; entry < end; ++entry) store<f32>(args.logWeight + (entry << 2), EMPTY);
}

function multiply(values: usize, factor: f32, left: u32): void {
  for (; left >= 4; left -= 4, values += 16) v128.store(values, f32x4.mul(v128.load(values), f32x4.splat(factor)));
  for (; left > 0; --left, values += 4) store<f32>(values, load<f32>(values) * factor);
}
