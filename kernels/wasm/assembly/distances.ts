// deno-fmt-ignore-file: AssemblyScript
import { FAR, NO_ROW } from "../../constants";
import { scoreRows } from "./micro_kernel";
import { CHUNK_KEYS, CHUNK_ROWS, GROUP_ROWS, HASH_ROWS, PANEL, TILE_KEYS } from "../engine/layout";
import { packKeys } from "./pack";
import { groupRows, packQueries } from "./query_group";
import { copyFloats, multiplyAdd, sumOfLanes, upToEight } from "./simd";

@unmanaged
class ProductArguments {
  rows: usize;
  directions: usize;
  result: usize;
  heads: u32;
  count: u32;
  width: u32;
  projections: u32;
}

/** HASH_ROWS rows of one head with CHUNK_KEYS of its directions, which take the place of keys in attention. */
export function innerProductsTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<ProductArguments>(operation);
  const rowChunks = (args.count + HASH_ROWS - 1) / HASH_ROWS, projections = args.projections;
  const chunks = (projections + CHUNK_KEYS - 1) / CHUNK_KEYS, part = task / chunks;
  const head = part / rowChunks, firstRow = (part % rowChunks) * HASH_ROWS;
  const end = min<u32>(args.count, firstRow + HASH_ROWS);
  const start = (task % chunks) * CHUNK_KEYS, count = min<u32>(CHUNK_KEYS, projections - start);
  const width = args.width, stride = <usize>width << 2, panels = upToEight(count) / PANEL;
  const tile = scratch, packed = tile + (GROUP_ROWS * TILE_KEYS << 2), packedRows = packed + CHUNK_KEYS * stride;
  packKeys(packed, args.directions + (<usize>head * projections + start) * stride, 0, 0, count, width);
  for (let row = firstRow; row < end; row += groupRows(end - row)) {
    const left = end - row, size = groupRows(left), valid = min<u32>(size, left);
    const index = <usize>head * args.count + row;
    packQueries(packedRows, args.rows + index * stride, 0, 0, valid, size, width);
    scoreRows(size, tile, packedRows, packed, panels, width, 1);
    for (let r: u32 = 0; r < valid; ++r) {
      const to = args.result + (((index + r) * projections + start) << 2);
      copyFloats(to, tile + <usize>r * (TILE_KEYS << 2), count);
    }
  }
}

@unmanaged
class DistanceArguments {
  rows: usize;
  query: usize;
  index: usize;
  result: usize;
  heads: u32;
  count: u32;
  queries: u32;
  width: u32;
  picks: u32;
}

/** Distances of one query to CHUNK_ROWS of its rows. */
export function gatheredDistancesTask(operation: usize, task: u32): void {
  const args = changetype<DistanceArguments>(operation);
  const chunks = (args.picks + CHUNK_ROWS - 1) / CHUNK_ROWS, query = task / chunks, head = query / args.queries;
  const start = (task % chunks) * CHUNK_ROWS, end = min<u32>(args.picks, start + CHUNK_ROWS);
  const stride = <usize>args.width << 2, rows = args.rows + <usize>head * args.count * stride;
  const own = args.query + <usize>query * stride;
  for (let pick = start; pick < end; ++pick) {
    const at = (<usize>query * args.picks + pick) << 2, row = load<u32>(args.index + at);
    const squared = row === <u32>NO_ROW ? <f32>FAR : squaredDistance(own, rows + row * stride, args.width);
    store<f32>(args.result + at, squared);
  }
}

/** Σ (a − b)², four chains of sums. */
function squaredDistance(a: usize, b: usize, width: u32): f32 {
  let first = f32x4.splat(0), second = first;
  let left = width;
  for (; left >= 8; left -= 8) {
    const low = f32x4.sub(v128.load(a), v128.load(b)), high = f32x4.sub(v128.load(a, 16), v128.load(b, 16));
    first = multiplyAdd(low, low, first);
    second = multiplyAdd(high, high, second);
    a += 32;
    b += 32;
  }
  for (; left >= 4; left -= 4) {
    const low = f32x4.sub(v128.load(a), v128.load(b));
    first = multiplyAdd(low, low, first);
    a += 16;
    b += 16;
  }
  let sum = sumOfLanes(f32x4.add(first, second));
  for (; left > 0; --left) {
    const difference = load<f32>(a) - load<f32>(b);
    sum += difference * difference;
    a += 4;
    b += 4;
  }
  return sum;
}
