// deno-fmt-ignore-file: AssemblyScript
import { CHUNK_ROWS, SLOPE_FEATURES } from "../engine/layout";
import { memberOfPart } from "./member_of_part";
import { multiplyAdd } from "./simd";

/** Arguments of STRAYS, SLOPE and WEIGH_SLOPE. */
@unmanaged
class SlopeArguments {
  key: usize;
  value: usize;
  pointKey: usize;
  pointValue: usize;
  /** 0 where the first point of a head stands for all of its keys. */
  labels: usize;
  probabilities: usize;
  exact: usize;
  /** 0 where it is the value of the first point of the head. */
  approximate: usize;
  /** [heads, taken, features] floats: scale · every · p_j (k_j − κ). */
  keyStrays: usize;
  /** [heads, taken, valueFeatures] floats: v_j − z. */
  valueStrays: usize;
  /** [heads, features, valueFeatures] */
  slope: usize;
  /** [heads, probes, valueFeatures]: queries times the slope. */
  linear: usize;
  offset: usize;
  output: usize;
  heads: u32;
  keys: u32;
  features: u32;
  valueFeatures: u32;
  probes: u32;
  fitted: u32;
  even: u32;
  otherWeight: f32;
  most: u32;
  scale: f32;
  every: u32;
}

@inline
function takenOf(args: SlopeArguments): u32 {
  return (args.keys + args.every - 1) / args.every;
}

@inline
function weightOf(args: SlopeArguments, probe: u32): f64 {
  return probe < args.even ? 1 : <f64>args.otherWeight;
}

function totalWeight(args: SlopeArguments): f64 {
  let total: f64 = 0;
  for (let i: u32 = 0; i < args.fitted; ++i) total += weightOf(args, i);
  return total;
}

/** How a chunk of the sampled keys strays from the points of their clusters. */
export function straysTask(operation: usize, task: u32): void {
  const args = changetype<SlopeArguments>(operation);
  const taken = takenOf(args), chunks = (taken + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(taken, start + CHUNK_ROWS);
  const width = args.valueFeatures, stride = <usize>args.features << 2, valueStride = <usize>width << 2;
  const unit = <f64>args.scale * <f64>args.every / totalWeight(args);
  for (let i = start; i < end; ++i) {
    const key = memberOfPart(i, args.every, args.keys), row = <usize>head * args.keys + key, to = <usize>head * taken + i;
    let share: f64 = 0, from = args.probabilities + ((<usize>head * args.probes * args.keys + key) << 2);
    for (let probe: u32 = 0; probe < args.fitted; ++probe, from += <usize>args.keys << 2) {
      share += weightOf(args, probe) * <f64>load<f32>(from);
    }
    const point = <usize>head * args.most + (args.labels ? load<u32>(args.labels + (row << 2)) : 0);
    stray(args.keyStrays + to * stride, args.key + row * stride, args.pointKey + point * stride, <f32>(unit * share), stride);
    stray(args.valueStrays + to * valueStride, args.value + row * valueStride, args.pointValue + point * valueStride, 1, valueStride);
  }
}

/** result = factor · (row − point). */
function stray(result: usize, row: usize, point: usize, factor: f32, bytes: usize): void {
  const end = row + bytes, lanes = f32x4.splat(factor);
  for (; row + 16 <= end; row += 16, point += 16, result += 16) {
    v128.store(result, f32x4.mul(lanes, f32x4.sub(v128.load(row), v128.load(point))));
  }
  for (; row < end; row += 4, point += 4, result += 4) {
    store<f32>(result, factor * (load<f32>(row) - load<f32>(point)));
  }
}

/** SLOPE_FEATURES rows of the slope: products of the strays, summed over the sampled keys. */
export function slopeTask(operation: usize, task: u32): void {
  const args = changetype<SlopeArguments>(operation);
  const tiles = (args.features + SLOPE_FEATURES - 1) / SLOPE_FEATURES, head = task / tiles;
  const first = (task % tiles) * SLOPE_FEATURES, end = min<u32>(args.features, first + SLOPE_FEATURES);
  const taken = takenOf(args), width = args.valueFeatures, valueStride = <usize>width << 2;
  const keyStrays = args.keyStrays + ((<usize>head * taken * args.features) << 2);
  const valueStrays = args.valueStrays + <usize>head * taken * valueStride;
  const slope = args.slope + <usize>head * args.features * valueStride;
  memory.fill(slope + first * valueStride, 0, (end - first) * valueStride);
  for (let feature = first; feature < end; feature += 4) {
    addProducts(
      slope + feature * valueStride, width, min<u32>(4, end - feature),
      keyStrays + (<usize>feature << 2), 4, <usize>args.features << 2,
      valueStrays, taken,
    );
  }
}

@unmanaged
class LinearArguments {
  /** 0 adds the product to nothing. */
  rows: usize;
  query: usize;
  slope: usize;
  offset: usize;
  result: usize;
  heads: u32;
  count: u32;
  features: u32;
  valueFeatures: u32;
  /** 1 where all rows of a head are one. */
  sameRow: u32;
}

/** rows + offset + query · slope for a chunk of rows. */
export function addLinearTask(operation: usize, task: u32): void {
  const args = changetype<LinearArguments>(operation);
  const count = args.count, chunks = (count + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(count, start + CHUNK_ROWS);
  const width = args.valueFeatures, stride = <usize>args.features << 2, valueStride = <usize>width << 2;
  const slope = args.slope + <usize>head * args.features * valueStride, offset = args.offset + head * valueStride;
  for (let first = start; first < end; first += 4) {
    const rows = min<u32>(4, end - first), row = <usize>head * count + first;
    const result = args.result + row * valueStride;
    if (args.rows === 0) memory.fill(result, 0, rows * valueStride);
    else {
      for (let r: usize = 0; r < rows; ++r) {
        const from = args.sameRow ? <usize>head : row + r;
        addRows(result + r * valueStride, args.rows + from * valueStride, offset, valueStride);
      }
    }
    addProducts(result, width, rows, args.query + row * stride, stride, 4, slope, args.features);
  }
}

/** result = a + b. */
function addRows(result: usize, a: usize, b: usize, bytes: usize): void {
  const end = a + bytes;
  for (; a + 16 <= end; a += 16, b += 16, result += 16) v128.store(result, f32x4.add(v128.load(a), v128.load(b)));
  for (; a < end; a += 4, b += 4, result += 4) store<f32>(result, load<f32>(a) + load<f32>(b));
}

/**
 * sums[r, c] += Σ_t a[r, t] b[t, c] for up to four rows r: a steps by `rowStep` and `step` bytes, sums and b have rows of `width`
 * floats. Sums of sixteen columns stay in registers; where there are fewer rows the last one is computed again.
 */
function addProducts(
  sums: usize, width: u32, rows: u32, a: usize, rowStep: usize, step: usize, b: usize, length: u32,
): void {
  const stride = <usize>width << 2;
  const second = min<usize>(1, rows - 1), third = min<usize>(2, rows - 1), fourth = min<usize>(3, rows - 1);
  const a1 = second * rowStep, a2 = third * rowStep, a3 = fourth * rowStep;
  const s1 = sums + second * stride, s2 = sums + third * stride, s3 = sums + fourth * stride;
  let column: usize = 0;
  for (; column + 32 <= stride; column += 32) {
    let c00 = v128.load(sums + column), c01 = v128.load(sums + column, 16);
    let c10 = v128.load(s1 + column), c11 = v128.load(s1 + column, 16);
    let c20 = v128.load(s2 + column), c21 = v128.load(s2 + column, 16);
    let c30 = v128.load(s3 + column), c31 = v128.load(s3 + column, 16);
    let from = a, row = b + column;
    for (let t: u32 = 0; t < length; ++t, from += step, row += stride) {
      const low = v128.load(row), high = v128.load(row, 16);
      const x0 = v128.load_splat<f32>(from), x1 = v128.load_splat<f32>(from + a1);
      const x2 = v128.load_splat<f32>(from + a2), x3 = v128.load_splat<f32>(from + a3);
      c00 = multiplyAdd(x0, low, c00);
      c01 = multiplyAdd(x0, high, c01);
      c10 = multiplyAdd(x1, low, c10);
      c11 = multiplyAdd(x1, high, c11);
      c20 = multiplyAdd(x2, low, c20);
      c21 = multiplyAdd(x2, high, c21);
      c30 = multiplyAdd(x3, low, c30);
      c31 = multiplyAdd(x3, high, c31);
    }
    v128.store(s3 + column, c30);
    v128.store(s3 + column, c31, 16);
    v128.store(s2 + column, c20);
    v128.store(s2 + column, c21, 16);
    v128.store(s1 + column, c10);
    v128.store(s1 + column, c11, 16);
    v128.store(sums + column, c00);
    v128.store(sums + column, c01, 16);
  }
  for (; column < stride; column += 4) {
    for (let r: usize = 0; r < rows; ++r) {
      let sum = load<f32>(sums + r * stride + column), from = a + r * rowStep, row = b + column;
      for (let t: u32 = 0; t < length; ++t, from += step, row += stride) sum += load<f32>(from) * load<f32>(row);
      store<f32>(sums + r * stride + column, sum);
    }
  }
}

/** Offset and factor of one head's function, and what it leaves of the exact outputs. */
export function weighSlopeTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<SlopeArguments>(operation);
  const width = args.valueFeatures, stride = <usize>width << 2, fitted = args.fitted;
  const linear = args.linear + head * args.probes * stride, offset = args.offset + head * stride;
  const exact = args.exact + head * args.probes * stride, step = args.approximate ? stride : 0;
  const approximate = args.approximate ? args.approximate + head * args.probes * stride : args.pointValue + head * args.most * stride;
  const total = totalWeight(args);
  for (let at: usize = 0; at < stride; at += 4) {
    let mean: f64 = 0;
    for (let i: u32 = 0; i < fitted; ++i) mean += weightOf(args, i) * <f64>load<f32>(linear + i * stride + at);
    store<f32>(offset + at, <f32>(mean / total));
  }
  let allCross: f64 = 0, allSquare: f64 = 0;
  for (let i: u32 = 0; i < fitted; ++i) {
    let cross: f64 = 0, square: f64 = 0;
    for (let at: usize = 0; at < stride; at += 4) {
      const place = i * stride + at, x = <f64>load<f32>(linear + place) - <f64>load<f32>(offset + at);
      cross += x * (<f64>load<f32>(exact + place) - <f64>load<f32>(approximate + i * step + at));
      square += x * x;
    }
    cross *= weightOf(args, i);
    square *= weightOf(args, i);
    store<f64>(scratch + (<usize>i << 4), cross);
    store<f64>(scratch + (<usize>i << 4), square, 8);
    allCross += cross;
    allSquare += square;
  }
  let factor: f64 = 1;
  for (let i: u32 = 0; i < fitted; ++i) {
    const others = allSquare - load<f64>(scratch + (<usize>i << 4), 8);
    factor = min<f64>(factor, others > 0 ? max<f64>(0, (allCross - load<f64>(scratch + (<usize>i << 4))) / others) : 0);
  }
  const output = args.output + head * args.probes * stride;
  for (let i: u32 = 0; i < args.probes; ++i) {
    for (let at: usize = 0; at < stride; at += 4) {
      const place = i * stride + at, x = <f64>load<f32>(linear + place) - <f64>load<f32>(offset + at);
      store<f32>(output + place, <f32>(<f64>load<f32>(exact + place) - factor * x));
    }
  }
  scaleAll(offset, <f32>-factor, stride);
  scaleAll(args.slope + <usize>head * args.features * stride, <f32>factor, <usize>args.features * stride);
}

function scaleAll(start: usize, factor: f32, bytes: usize): void {
  for (let at = start; at < start + bytes; at += 4) store<f32>(at, factor * load<f32>(at));
}
