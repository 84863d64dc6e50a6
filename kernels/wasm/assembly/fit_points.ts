// deno-fmt-ignore-file: AssemblyScript
import { LEAST_MASS, LEAST_TOTAL } from "../../constants";
import { CHUNK_ROWS } from "../engine/layout";
import { exponentialOf } from "./exponential";
import { logarithm } from "./logarithm";
import { addScaled, innerProduct, upToFour } from "./simd";
import { EMPTY } from "./tile_softmax";

@unmanaged
class TransposeArguments {
  probabilities: usize;
  /** [heads, keys, upToFour(fitted)] floats, zero beyond `fitted`. */
  columns: usize;
  /** [heads, keys] */
  masses: usize;
  heads: u32;
  keys: u32;
  probes: u32;
  fitted: u32;
  even: u32;
  otherWeight: f32;
}

/** Softmax rows [fitted, keys] as columns [keys, fitted], and their weighted sums, for one chunk of keys. */
export function transposeProbesTask(operation: usize, task: u32): void {
  const args = changetype<TransposeArguments>(operation);
  const keys = args.keys, fitted = args.fitted, chunks = (keys + CHUNK_ROWS - 1) / CHUNK_ROWS, head = task / chunks;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(keys, start + CHUNK_ROWS);
  const rowBytes = <usize>keys << 2, length = upToFour(fitted), columnBytes = <usize>length << 2;
  const rows = args.probabilities + head * args.probes * rowBytes;
  let to = args.columns + (<usize>head * keys + start) * columnBytes;
  const masses = args.masses + head * rowBytes;
  for (let key = start; key < end; ++key, to += columnBytes) {
    let mass = <f32>LEAST_MASS, from = rows + (<usize>key << 2);
    for (let i: u32 = 0; i < fitted; ++i, from += rowBytes) {
      const probability = load<f32>(from);
      mass += i < args.even ? probability : args.otherWeight * probability;
      store<f32>(to + (<usize>i << 2), probability);
    }
    for (let i = fitted; i < length; ++i) store<f32>(to + (<usize>i << 2), 0);
    store<f32>(masses + (<usize>key << 2), mass);
  }
}

@unmanaged
class FitArguments {
  key: usize;
  value: usize;
  query: usize;
  logSumExp: usize;
  labels: usize;
  clusters: usize;
  order: usize;
  /** As TRANSPOSE_PROBES leaves them. */
  columns: usize;
  masses: usize;
  pointKey: usize;
  pointValue: usize;
  logMass: usize;
  logits: usize;
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
}

/** The point of one cluster. */
export function fitPointsTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<FitArguments>(operation);
  const head = task / args.most, cluster = task % args.most;
  const keys = args.keys, probes = args.probes, fitted = args.fitted, features = args.features;
  const firstRow = <usize>head * keys, stride = <usize>features << 2, step = <usize>args.most << 2;
  const logits = args.logits + (((<usize>head * probes * args.most) + cluster) << 2);
  if (cluster >= load<u32>(args.clusters + (<usize>head << 2))) {
    memory.fill(args.pointKey + task * stride, 0, stride);
    memory.fill(args.pointValue + task * (<usize>args.valueFeatures << 2), 0, <usize>args.valueFeatures << 2);
    store<f32>(args.logMass + (<usize>task << 2), EMPTY);
    for (let i: u32 = 0, at = logits; i < probes; ++i, at += step) store<f32>(at, EMPTY);
    return;
  }
  const order = args.order + (firstRow << 2), labels = args.labels + (firstRow << 2);
  const start = firstOf(order, labels, keys, cluster), end = firstOf(order, labels, keys, cluster + 1);
  const masses = args.masses + (firstRow << 2);

  const point = args.pointKey + task * stride;
  let plain: f64 = 0;
  memory.fill(point, 0, stride);
  for (let place = start; place < end; ++place) {
    const member = load<u32>(order + (<usize>place << 2)), mass = load<f32>(masses + (<usize>member << 2));
    plain += mass;
    addScaled(point, args.key + (firstRow + member) * stride, mass, features);
  }
  divide(point, plain, features);

  const own = scratch, ratios = scratch + (<usize>probes << 2), length = upToFour(fitted);
  let largest: f32 = -Infinity;
  for (let i: u32 = 0; i < probes; ++i) {
    const row = <usize>head * probes + i, logit = args.scale * innerProduct(args.query + row * stride, point, features);
    store<f32>(own + (<usize>i << 2), logit);
    if (i >= fitted) continue;
    const ratio = logit - load<f32>(args.logSumExp + (row << 2));
    store<f32>(ratios + (<usize>i << 2), ratio);
    largest = max<f32>(largest, ratio);
  }
  for (let i = fitted; i < length; ++i) store<f32>(ratios + (<usize>i << 2), -Infinity);
  let sum: f64 = 0, square: f64 = 0;
  for (let i: u32 = 0; i < fitted; ++i) {
    const at = ratios + (<usize>i << 2), x = exponentialOf(load<f32>(at) - largest);
    const weighted = i < args.even ? x : args.otherWeight * x;
    sum += weighted;
    square += <f64>weighted * x;
    store<f32>(at, weighted);
  }
  for (let i = fitted; i < length; ++i) store<f32>(ratios + (<usize>i << 2), 0);

  const width = args.valueFeatures, valueStride = <usize>width << 2, columnBytes = <usize>length << 2;
  const value = args.pointValue + task * valueStride, columns = args.columns + firstRow * columnBytes;
  const values = args.value + firstRow * valueStride;
  let total: f64 = 0;
  memory.fill(value, 0, valueStride);
  for (let place = start; place < end; ++place) {
    const member = load<u32>(order + (<usize>place << 2));
    const mass = <f32>(<f64>innerProduct(columns + member * columnBytes, ratios, length) / square);
    total += mass;
    addScaled(value, values + member * valueStride, mass, width);
  }
  let mass = total;
  if (!(total > LEAST_TOTAL)) {
    memory.fill(value, 0, valueStride);
    for (let place = start; place < end; ++place) {
      const member = load<u32>(order + (<usize>place << 2));
      addScaled(value, values + member * valueStride, load<f32>(masses + (<usize>member << 2)), width);
    }
    total = plain;
    mass = plain / sum;
  }
  divide(value, total, width);
  const logMass = logarithm(mass) - <f64>largest;
  store<f32>(args.logMass + (<usize>task << 2), <f32>logMass);
  for (let i: u32 = 0, at = logits; i < probes; ++i, at += step) {
    store<f32>(at, <f32>(<f64>load<f32>(own + (<usize>i << 2)) + logMass));
  }
}

/** First place in the order whose key has a label of at least `label`. */
function firstOf(order: usize, labels: usize, keys: u32, label: u32): u32 {
  let low: u32 = 0, high = keys;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(labels + (<usize>load<u32>(order + (<usize>middle << 2)) << 2)) < label) low = middle + 1;
    else high = middle;
  }
  return low;
}

function divide(row: usize, divisor: f64, width: u32): void {
  for (const end = row + (<usize>width << 2); row < end; row += 4) {
    store<f32>(row, <f32>(<f64>load<f32>(row) / divisor));
  }
}
