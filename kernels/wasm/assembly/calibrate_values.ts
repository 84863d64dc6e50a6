// deno-fmt-ignore-file: AssemblyScript
import { LEAST_COLUMN, USELESS } from "../../constants";
import { CHUNK_POINTS } from "../engine/layout";
import { exponential, exponentialOf } from "./exponential";
import { addScaled, largestOfLanes, multiplyAdd, sumOfLanes, upToFour } from "./simd";

/** Arguments of all steps of CALIBRATE_*. */
@unmanaged
export class CalibrateArguments {
  logits: usize;
  clusters: usize;
  output: usize;
  mean: usize;
  /** [heads, most, valueFeatures]: centred values, corrected in place. */
  centred: usize;
  values: usize;
  /** [heads, probes, upToFour(most)]: softmax rows; those to fit to weighted, then their columns scaled: the design. */
  rows: usize;
  /** [heads, upToFour(most)]: what the columns were divided by. */
  scale: usize;
  /** [heads, fitted, valueFeatures] each. */
  residual: usize;
  half: usize;
  dual: usize;
  /** [heads, fitted, upToFour(fitted)] each: Gram matrix, its Cholesky factor, and the inverse of that. */
  gram: usize;
  factor: usize;
  inverse: usize;
  /** [heads, upToFour(fitted)]: of the inverse of the matrix. */
  diagonal: usize;
  /** [heads] words: whether the correction is kept. */
  kept: usize;
  heads: u32;
  valueFeatures: u32;
  probes: u32;
  fitted: u32;
  even: u32;
  most: u32;
  /** √ of the weight of the probes from `even` on. */
  otherRoot: f32;
  largestValue: f32;
}

/** Softmax row of one probe over the points; of one to fit to, weighted, with the residual of its output. */
export function calibrateRowsTask(operation: usize, task: u32): void {
  const args = changetype<CalibrateArguments>(operation);
  const head = task / args.probes, probe = task % args.probes;
  const size = load<u32>(args.clusters + (<usize>head << 2)), width = args.valueFeatures, most = args.most;
  const logits = args.logits + (<usize>task * most << 2), row = args.rows + (<usize>task * upToFour(most) << 2);
  const bytes = <usize>size << 2;
  let largest: f32 = -Infinity;
  for (let at: usize = 0; at < bytes; at += 4) largest = max<f32>(largest, load<f32>(logits + at));
  let total: f64 = 0, at: usize = 0;
  const subtrahend = f32x4.splat(largest);
  for (; at + 16 <= bytes; at += 16) {
    const powers = exponential(f32x4.sub(v128.load(logits + at), subtrahend));
    v128.store(row + at, powers);
    total += sumOfLanes(powers);
  }
  for (; at < bytes; at += 4) {
    const power = exponentialOf(load<f32>(logits + at) - largest);
    store<f32>(row + at, power);
    total += power;
  }
  memory.fill(row + bytes, 0, (<usize>upToFour(most) << 2) - bytes);
  const isFitted = probe < args.fitted, root: f32 = !isFitted || probe < args.even ? 1 : args.otherRoot;
  scaleFloats(row, <f32>(<f64>root / total), size);
  if (!isFitted) return;

  const residual = args.residual + ((<usize>head * args.fitted + probe) * width << 2);
  attendRow(residual, row, args.centred + (<usize>head * most * width << 2), size, width);
  const output = args.output + (<usize>task * width << 2), mean = args.mean + (<usize>head * width << 2);
  for (let column: usize = 0; column < <usize>width << 2; column += 4) {
    const exact = load<f32>(output + column) - load<f32>(mean + column);
    store<f32>(residual + column, root * exact - load<f32>(residual + column));
  }
}

/** Divides the columns of the design of one head by the root of their root mean square, or of the least that counts. */
export function calibrateScaleTask(operation: usize, head: u32): void {
  const args = changetype<CalibrateArguments>(operation);
  const length = upToFour(args.most), step = <usize>length << 2, fitted = args.fitted;
  const rows = args.rows + head * args.probes * step, scale = args.scale + head * step, end = rows + fitted * step;
  let largest = f32x4.splat(0);
  for (let at: usize = 0; at < step; at += 16) {
    let squares = f32x4.splat(0);
    for (let row = rows + at; row < end + at; row += step) {
      const x = v128.load(row);
      squares = multiplyAdd(x, x, squares);
    }
    const size = f32x4.sqrt(f32x4.div(squares, f32x4.splat(<f32>fitted)));
    v128.store(scale + at, size);
    largest = f32x4.pmax(largest, size);
  }
  const least = f32x4.splat(<f32>LEAST_COLUMN * largestOfLanes(largest));
  for (let at: usize = 0; at < step; at += 16) {
    const divisor = f32x4.sqrt(f32x4.pmax(least, v128.load(scale + at)));
    v128.store(scale + at, divisor);
    for (let row = rows + at; row < end + at; row += step) v128.store(row, f32x4.div(v128.load(row), divisor));
  }
}

/** Corrects the values of CHUNK_POINTS points, where the correction is kept. */
export function calibrateCorrectTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<CalibrateArguments>(operation);
  const chunks = (args.most + CHUNK_POINTS - 1) / CHUNK_POINTS, head = task / chunks, width = args.valueFeatures;
  if (!load<u32>(args.kept + (<usize>head << 2))) return;
  const first = (task % chunks) * CHUNK_POINTS, stride = <usize>width << 2, step = <usize>upToFour(args.most) << 2;
  const end = min<u32>(load<u32>(args.clusters + (<usize>head << 2)), first + CHUNK_POINTS);
  const dual = args.dual + head * args.fitted * stride, mean = args.mean + head * stride;
  for (let point = first; point < end; ++point) {
    const values = args.centred + (<usize>head * args.most + point) * stride;
    const scale = load<f32>(args.scale + head * step + (<usize>point << 2));
    memory.fill(scratch, 0, stride);
    let entry = args.rows + head * args.probes * step + (<usize>point << 2), from = dual;
    for (let i: u32 = 0; i < args.fitted; ++i, entry += step, from += stride) {
      addScaled(scratch, from, load<f32>(entry), width);
    }
    for (let at: usize = 0; at < stride; at += 4) {
      const centre = load<f32>(mean + at), value = load<f32>(values + at) + load<f32>(scratch + at) / scale;
      const limited = min<f32>(args.largestValue - centre, max<f32>(-args.largestValue - centre, value));
      store<f32>(values + at, limited);
    }
  }
}

/** The values of one head, shrunk as far as the probes that had no part in the fit ask for it. */
export function calibrateJudgeTask(operation: usize, head: u32, scratch: usize): void {
  const args = changetype<CalibrateArguments>(operation);
  const size = load<u32>(args.clusters + (<usize>head << 2)), width = args.valueFeatures, probes = args.probes;
  const stride = <usize>width << 2, step = <usize>upToFour(args.most) << 2, mean = args.mean + head * stride;
  const centred = args.centred + head * args.most * stride, sums = scratch + stride;
  let wrong: f64 = 0, target: f64 = 0, allCross: f64 = 0, allSquare: f64 = 0;
  for (let i = args.fitted; i < probes; ++i) {
    const row = <usize>head * probes + i, output = args.output + row * stride;
    attendRow(scratch, args.rows + row * step, centred, size, width);
    let cross: f64 = 0, square: f64 = 0;
    for (let at: usize = 0; at < stride; at += 4) {
      const predicted: f64 = load<f32>(scratch + at), exact = <f64>(load<f32>(output + at) - load<f32>(mean + at));
      cross += predicted * exact;
      square += predicted * predicted;
      wrong += (predicted - exact) * (predicted - exact);
      target += exact * exact;
    }
    store<f64>(sums + (<usize>(i - args.fitted) << 4), cross);
    store<f64>(sums + (<usize>(i - args.fitted) << 4), square, 8);
    allCross += cross;
    allSquare += square;
  }
  let factor: f64 = 1;
  if (wrong > USELESS * USELESS * target) {
    for (let at = sums; at < sums + (<usize>(probes - args.fitted) << 4); at += 16) {
      const others = allSquare - load<f64>(at, 8);
      factor = min<f64>(factor, others > 0 ? (allCross - load<f64>(at)) / others : 0);
    }
    factor = max<f64>(factor, 0);
  }
  const values = args.values + head * args.most * stride;
  for (let point: u32 = 0; point < size; ++point) {
    for (let at: usize = 0, place = point * stride; at < stride; at += 4, place += 4) {
      store<f32>(values + place, <f32>(factor * <f64>load<f32>(centred + place)) + load<f32>(mean + at));
    }
  }
  memory.fill(values + size * stride, 0, (args.most - size) * stride);
}

/** output = Σ_s row_s · values_s. */
function attendRow(output: usize, row: usize, values: usize, size: u32, width: u32): void {
  memory.fill(output, 0, <usize>width << 2);
  for (let point: u32 = 0; point < size; ++point, values += <usize>width << 2) {
    addScaled(output, values, load<f32>(row + (<usize>point << 2)), width);
  }
}

function scaleFloats(row: usize, factor: f32, count: u32): void {
  for (const end = row + (<usize>count << 2); row < end; row += 4) store<f32>(row, factor * load<f32>(row));
}
