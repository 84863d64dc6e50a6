// deno-fmt-ignore-file: AssemblyScript
import { exponential } from "./exponential";
import { CHUNK_KEYS, PANEL, TILE_KEYS } from "../layout";
import { scoreFour, scoreSix } from "./micro_kernel";
import { packKeys } from "./pack";
import { groupRows, packQueries } from "./query_group";
import { copyFloats, largestOfLanes, sumOfLanes, upToEight } from "./simd";
import { MASKED } from "./tile_softmax";

@unmanaged
class SoftmaxArguments {
  query: usize;
  key: usize;
  probabilities: usize;
  heads: u32;
  queries: u32;
  keys: u32;
  features: u32;
  scale: f32;
}

/** Logits of all queries of one head with CHUNK_KEYS of its keys. */
export function probeLogitsTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<SoftmaxArguments>(operation);
  const chunks = (args.keys + CHUNK_KEYS - 1) / CHUNK_KEYS, head = task / chunks;
  const start = (task % chunks) * CHUNK_KEYS, count = min<u32>(CHUNK_KEYS, args.keys - start);
  const features = args.features, queries = args.queries, panels = upToEight(count) / PANEL;
  const tile = scratch;
  const packedKey = tile + (6 * TILE_KEYS << 2),
    packedQuery = packedKey + (<usize>CHUNK_KEYS * features << 2);
  packKeys(packedKey, args.key + ((<usize>head * args.keys + start) * features << 2), 0, 0, count, features);
  for (let row: u32 = 0; row < queries; row += groupRows(queries - row)) {
    const left = queries - row, size = groupRows(left), valid = min<u32>(size, left);
    const index = <usize>head * queries + row;
    packQueries(packedQuery, args.query + (index * features << 2), 0, 0, valid, size, features);
    if (size === 6) scoreSix(tile, packedQuery, packedKey, panels, features, args.scale);
    else scoreFour(tile, packedQuery, packedKey, panels, features, args.scale);
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
  const divisor = <f32>total;
  for (let at = row; at < whole; at += 16) v128.store(at, f32x4.div(v128.load(at), f32x4.splat(divisor)));
  for (let at = whole; at < end; at += 4) store<f32>(at, load<f32>(at) / divisor);
}
