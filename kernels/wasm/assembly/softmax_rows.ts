// deno-fmt-ignore-file: AssemblyScript
import { exponential } from "./exponential";
import { CHUNK_KEYS, GROUP_ROWS, PANEL, TILE_KEYS } from "../engine/layout";
import { logarithm } from "./logarithm";
import { scoreRows } from "./micro_kernel";
import { packKeys } from "./pack";
import { groupRows, packQueries } from "./query_group";
import { copyFloats, largestOfLanes, multiplyAdd, sumOfLanes, upToEight } from "./simd";
import { MASKED } from "./tile_softmax";

@unmanaged
class SoftmaxArguments {
  query: usize;
  key: usize;
  probabilities: usize;
  /** From here to `partial` 0 where probabilities are all that is asked for. */
  logSumExp: usize;
  value: usize;
  output: usize;
  /** [heads, chunks of keys, queries, valueFeatures] */
  partial: usize;
  heads: u32;
  queries: u32;
  keys: u32;
  features: u32;
  valueFeatures: u32;
  scale: f32;
}

/** Logits of all queries of one head with CHUNK_KEYS of its keys. */
export function probeLogitsTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<SoftmaxArguments>(operation);
  const chunks = (args.keys + CHUNK_KEYS - 1) / CHUNK_KEYS, head = task / chunks;
  const start = (task % chunks) * CHUNK_KEYS, count = min<u32>(CHUNK_KEYS, args.keys - start);
  const features = args.features, queries = args.queries, panels = upToEight(count) / PANEL;
  const tile = scratch;
  const packedKey = tile + (GROUP_ROWS * TILE_KEYS << 2),
    packedQuery = packedKey + (<usize>CHUNK_KEYS * features << 2);
  packKeys(packedKey, args.key + ((<usize>head * args.keys + start) * features << 2), 0, 0, count, features);
  for (let row: u32 = 0; row < queries; row += groupRows(queries - row)) {
    const left = queries - row, size = groupRows(left), valid = min<u32>(size, left);
    const index = <usize>head * queries + row;
    packQueries(packedQuery, args.query + (index * features << 2), 0, 0, valid, size, features);
    scoreRows(size, tile, packedQuery, packedKey, panels, features, args.scale);
    for (let r: u32 = 0; r < valid; ++r) {
      const to = args.probabilities + (((index + r) * args.keys + start) << 2);
      copyFloats(to, tile + <usize>r * (TILE_KEYS << 2), count);
    }
  }
}

/** Softmax in place, one row a task. */
export function probeSoftmaxTask(operation: usize, task: u32): void {
  const args = changetype<SoftmaxArguments>(operation);
  const row = args.probabilities + (<usize>task * args.keys << 2);
  const whole = row + (<usize>(args.keys & ~3) << 2), end = row + (<usize>args.keys << 2);
  let lanes = f32x4.splat(MASKED);
  for (let at = row; at < whole; at += 16) lanes = f32x4.pmax(lanes, v128.load(at));
  let largest = largestOfLanes(lanes);
  for (let at = whole; at < end; at += 4) largest = max<f32>(largest, load<f32>(at));

  // Partial sums in double precision: a row may be as long as memory allows.
  let total: f64 = 0;
  const subtrahend = f32x4.splat(largest);
  for (let at = row; at < end;) {
    const stop = min<usize>(at + 4096, end);
    lanes = f32x4.splat(0);
    for (; at + 16 <= stop; at += 16) {
      const weight = exponential(f32x4.sub(v128.load(at), subtrahend));
      v128.store(at, weight);
      lanes = f32x4.add(lanes, weight);
    }
    total += sumOfLanes(lanes);
    for (; at < stop; at += 4) {
      const weight = f32x4.extract_lane(exponential(f32x4.splat(load<f32>(at) - largest)), 0);
      store<f32>(at, weight);
      total += weight;
    }
  }
  if (args.logSumExp) store<f32>(args.logSumExp + (<usize>task << 2), <f32>(<f64>largest + logarithm(total)));
  const divisor = <f32>total;
  for (let at = row; at < whole; at += 16) v128.store(at, f32x4.div(v128.load(at), f32x4.splat(divisor)));
  for (let at = whole; at < end; at += 4) store<f32>(at, load<f32>(at) / divisor);
}

/** What CHUNK_KEYS keys contribute to the outputs of all queries of one head. */
export function probePartsTask(operation: usize, task: u32): void {
  const args = changetype<SoftmaxArguments>(operation);
  const chunks = (args.keys + CHUNK_KEYS - 1) / CHUNK_KEYS, head = task / chunks;
  const start = (task % chunks) * CHUNK_KEYS, count = min<u32>(CHUNK_KEYS, args.keys - start);
  const queries = args.queries, width = args.valueFeatures, stride = <usize>width << 2, step = <usize>args.keys << 2;
  const value = args.value + (<usize>head * args.keys + start) * stride;
  const rows = args.probabilities + ((<usize>head * queries * args.keys + start) << 2);
  const partial = args.partial + <usize>task * queries * stride;
  for (let row: u32 = 0; row < queries; row += 4) {
    // Rows past the end repeat the last one, which is then written again.
    const a = rows + row * step, b = rows + min<u32>(row + 1, queries - 1) * step;
    const c = rows + min<u32>(row + 2, queries - 1) * step, d = rows + min<u32>(row + 3, queries - 1) * step;
    const toA = partial + row * stride, toB = partial + min<u32>(row + 1, queries - 1) * stride;
    const toC = partial + min<u32>(row + 2, queries - 1) * stride, toD = partial + min<u32>(row + 3, queries - 1) * stride;
    let column: usize = 0;
    for (; column + 32 <= stride; column += 32) {
      let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
      let from = value + column;
      for (let at: usize = 0; at < <usize>count << 2; at += 4, from += stride) {
        const low = v128.load(from), high = v128.load(from, 16);
        let p = v128.load_splat<f32>(a + at);
        a0 = multiplyAdd(p, low, a0);
        a1 = multiplyAdd(p, high, a1);
        p = v128.load_splat<f32>(b + at);
        b0 = multiplyAdd(p, low, b0);
        b1 = multiplyAdd(p, high, b1);
        p = v128.load_splat<f32>(c + at);
        c0 = multiplyAdd(p, low, c0);
        c1 = multiplyAdd(p, high, c1);
        p = v128.load_splat<f32>(d + at);
        d0 = multiplyAdd(p, low, d0);
        d1 = multiplyAdd(p, high, d1);
      }
      storePair(toA + column, a0, a1);
      storePair(toB + column, b0, b1);
      storePair(toC + column, c0, c1);
      storePair(toD + column, d0, d1);
    }
    for (; column < stride; column += 4) {
      let x: f32 = 0, y: f32 = 0, z: f32 = 0, w: f32 = 0, from = value + column;
      for (let at: usize = 0; at < <usize>count << 2; at += 4, from += stride) {
        const v = load<f32>(from);
        x += load<f32>(a + at) * v;
        y += load<f32>(b + at) * v;
        z += load<f32>(c + at) * v;
        w += load<f32>(d + at) * v;
      }
      store<f32>(toA + column, x);
      store<f32>(toB + column, y);
      store<f32>(toC + column, z);
      store<f32>(toD + column, w);
    }
  }
}

/** Output of one query, the sum of its parts. */
export function probeOutputTask(operation: usize, task: u32): void {
  const args = changetype<SoftmaxArguments>(operation);
  const chunks = (args.keys + CHUNK_KEYS - 1) / CHUNK_KEYS, stride = <usize>args.valueFeatures << 2;
  const head = task / args.queries, step = args.queries * stride;
  const first = args.partial + head * chunks * step + (task % args.queries) * stride;
  const output = args.output + task * stride;
  for (let column: usize = 0; column < stride; column += 4) {
    let sum: f64 = 0;
    for (let chunk: u32 = 0, at = first + column; chunk < chunks; ++chunk, at += step) sum += load<f32>(at);
    store<f32>(output + column, <f32>sum);
  }
}

@inline
function storePair(to: usize, low: v128, high: v128): void {
  v128.store(to, low);
  v128.store(to, high, 16);
}
