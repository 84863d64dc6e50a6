// deno-fmt-ignore-file: AssemblyScript
import { GROUP_ROWS, HASH_ROWS, PANEL, TILE_KEYS } from "../engine/layout";
import { scoreRows } from "./micro_kernel";
import { packKeys } from "./pack";
import { groupRows, packQueries } from "./query_group";
import { innerProduct, upToEight } from "./simd";

@unmanaged
class NearestArguments {
  rows: usize;
  centre: usize;
  labels: usize;
  heads: u32;
  count: u32;
  width: u32;
  centres: u32;
}

/** The nearest centres of HASH_ROWS rows: those with the largest <row, centre> − ‖centre‖²/2. */
export function nearestCentresTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<NearestArguments>(operation);
  const chunks = (args.count + HASH_ROWS - 1) / HASH_ROWS, head = task / chunks;
  const first = (task % chunks) * HASH_ROWS, end = min<u32>(args.count, first + HASH_ROWS);
  const width = args.width, stride = <usize>width << 2, centres = args.centres;
  const centre = args.centre + <usize>head * centres * stride;
  const tile = scratch, packedRows = tile + (GROUP_ROWS * TILE_KEYS << 2), largest = packedRows + GROUP_ROWS * stride;
  const halves = largest + (HASH_ROWS << 2), packed = halves + ((<usize>upToEight(centres)) << 2);
  for (let c: u32 = 0; c < centres; ++c) {
    const at = centre + <usize>c * stride;
    store<f32>(halves + (<usize>c << 2), innerProduct(at, at, width) / 2);
  }
  packKeys(packed, centre, 0, 0, centres, width);
  for (let row = first; row < end; row += groupRows(end - row)) {
    const size = groupRows(end - row), valid = min<u32>(size, end - row);
    packQueries(packedRows, args.rows + (<usize>head * args.count + row) * stride, 0, 0, valid, size, width);
    for (let start: u32 = 0; start < centres; start += TILE_KEYS) {
      const count = min<u32>(TILE_KEYS, centres - start), panels = upToEight(count) / PANEL;
      const panel = packed + <usize>start * stride;
      scoreRows(size, tile, packedRows, panel, panels, width, 1);
      for (let r: u32 = 0; r < valid; ++r) {
        const label = args.labels + ((<usize>head * args.count + row + r) << 2);
        const most = largest + (<usize>(row - first + r) << 2), line = tile + <usize>r * (TILE_KEYS << 2);
        let best: u32 = start === 0 ? 0 : load<u32>(label), score = start === 0 ? -f32.MAX_VALUE : load<f32>(most);
        for (let c: u32 = 0; c < count; ++c) {
          const own = load<f32>(line + (<usize>c << 2)) - load<f32>(halves + (<usize>(start + c) << 2));
          if (own <= score) continue;
          score = own;
          best = start + c;
        }
        store<u32>(label, best);
        store<f32>(most, score);
      }
    }
  }
}
