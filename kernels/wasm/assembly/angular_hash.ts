// deno-fmt-ignore-file: AssemblyScript
import { scoreRows } from "./micro_kernel";
import { GROUP_ROWS, HASH_ROWS, PANEL, TILE_KEYS } from "../engine/layout";
import { packKeys } from "./pack";
import { groupRows, packQueries } from "./query_group";
import { subtractRow } from "./rows";
import { upToEight } from "./simd";

@unmanaged
class HashArguments {
  rows: usize;
  /** 0 where nothing is subtracted. */
  shift: usize;
  hyperplanes: usize;
  ranks: usize;
  heads: u32;
  count: u32;
  width: u32;
  projections: u32;
}

/**
 * Signs of HASH_ROWS rows against all hyperplanes, which take the place of keys in the micro-kernel of attention.
 * The shift is subtracted from the rows, not from the projections: a row equal to it must give exact zeros.
 */
export function angularHashTask(operation: usize, task: u32, scratch: usize): void {
  const args = changetype<HashArguments>(operation);
  const chunks = (args.count + HASH_ROWS - 1) / HASH_ROWS, head = task / chunks;
  const start = (task % chunks) * HASH_ROWS, end = min<u32>(args.count, start + HASH_ROWS);
  const width = args.width, stride = <usize>width << 2, projections = args.projections;
  const tile = scratch, panels = upToEight(projections) / PANEL;
  const packed = tile + (GROUP_ROWS * TILE_KEYS << 2), packedRows = packed + panels * PANEL * stride;
  const shifted = packedRows + GROUP_ROWS * stride;
  packKeys(packed, args.hyperplanes + <usize>head * projections * stride, 0, 0, projections, width);
  for (let row = start; row < end; row += groupRows(end - row)) {
    const left = end - row, size = groupRows(left), valid = min<u32>(size, left);
    const index = <usize>head * args.count + row;
    let rows = args.rows + index * stride;
    if (args.shift) {
      for (let r: u32 = 0; r < valid; ++r) {
        subtractRow(shifted + r * stride, rows + r * stride, args.shift + head * stride, width);
      }
      rows = shifted;
    }
    packQueries(packedRows, rows, 0, 0, valid, size, width);
    scoreRows(size, tile, packedRows, packed, panels, width, 1);
    for (let r: u32 = 0; r < valid; ++r) {
      const code = signs(tile + <usize>r * (TILE_KEYS << 2), projections);
      store<u32>(args.ranks + ((index + r) << 2), grayRank(code));
    }
  }
}

/** Bit i set where projection i is positive; the hyperplanes that fill the last panel up are zero. */
function signs(row: usize, projections: u32): u32 {
  let code: u32 = 0;
  for (let bit: u32 = 0; bit < projections; bit += 4) {
    code |= i32x4.bitmask(f32x4.gt(v128.load(row + (<usize>bit << 2)), f32x4.splat(0))) << bit;
  }
  return code;
}

/** The number whose binary-reflected Gray code `code` is. */
function grayRank(code: u32): u32 {
  code ^= code >> 1;
  code ^= code >> 2;
  code ^= code >> 4;
  code ^= code >> 8;
  return code ^ (code >> 16);
}
