import { type AttendTile, SHARE_LANES, SHARE_SIZES } from "../tuning.ts";
import type { SubgroupLanes } from "../engine/subgroups.ts";

/** Rows that lanes share, and lanes of a quad; each number of lanes that share rows is a multiple of it. */
const FOUR = 4;
/** Most keys in workgroup memory, a divisor of a stretch, and most vec4s of keys, and of values, that a lane copies for them. */
const MOST_KEYS = 32, MOST_COPIES = 3;
/**
 * Most vec4s of features and columns that a lane holds of a row: modelled, RDNA 2 runs two waves of 64 lanes with 256 registers
 * on a SIMD and is limited by instructions, of which fewer lanes to share rows take fewer; NVIDIA's GPUs, with 32 lanes, have to
 * wait for workgroup memory unless they hold more than two warps on a scheduler.
 */
const MOST_HELD = 8, MOST_HELD_OF_NARROW = 6, WIDE_SUBGROUP = 64;
/** Fewest vec4s of features for which the lanes of a quad have something to do. */
const LEAST_FEATURES = 4;

/** Widths of a query row and of the values that a workgroup sums, in vec4s. */
export interface ShareWidths {
  readonly features: number;
  readonly shared: { readonly columns: number };
}

/** What is defined in front of attend_subgroups.wgsl, which says what each means. */
export type ShareCut = Readonly<
  Record<
    | "LANES"
    | "QUADS"
    | "OTHERS"
    | "SHARING"
    | "FOUR"
    | "KEYS"
    | "DEPTH"
    | "WIDTH"
    | "KEY_COPIES"
    | "VALUE_COPIES",
    number
  >
>;

/** How a workgroup of `subgroups` cuts its work. */
export function cutShares(
  { lanes, size }: AttendTile,
  { features, shared: { columns } }: ShareWidths,
): ShareCut {
  const quads = size / FOUR, depth = Math.ceil(features / size), width = Math.ceil(columns / size);
  const most = MOST_COPIES * lanes / (size * Math.max(depth, width));
  const keys = Math.max(quads, Math.min(MOST_KEYS, 2 ** Math.floor(Math.log2(most))));
  return {
    LANES: lanes,
    QUADS: quads,
    OTHERS: quads - 1,
    SHARING: size,
    FOUR,
    KEYS: keys / quads,
    DEPTH: depth,
    WIDTH: width,
    KEY_COPIES: Math.ceil(keys * size * depth / lanes),
    VALUE_COPIES: Math.ceil(keys * size * width / lanes),
  };
}

/** Keys in workgroup memory at a time. */
export function shareKeys(tile: AttendTile, widths: ShareWidths): number {
  const { KEYS, QUADS } = cutShares(tile, widths);
  return KEYS * QUADS;
}

/** Query rows of a workgroup. */
export function shareRows({ lanes, size }: AttendTile): number {
  return FOUR * lanes / size;
}

/** Bytes of workgroup memory. */
function bytesOf({ KEYS, QUADS, SHARING, DEPTH, WIDTH }: ShareCut): number {
  return KEYS * QUADS * (16 * SHARING * (DEPTH + WIDTH) + 8);
}

/**
 * Every tile of `subgroups` for which a device has room whose subgroups have so many lanes at least, 0 where it has none: those with the
 * fewest lanes sharing rows first, each with the largest workgroup last.
 */
export function shareTiles(
  widths: ShareWidths,
  workgroupBytes: number,
  fewestLanes: number,
): AttendTile[] {
  if (widths.features < LEAST_FEATURES) return [];
  // Where half as many lanes hold few vec4s, more would have too little to do.
  const sizes = SHARE_SIZES.filter((size) =>
    size <= fewestLanes && heldBy(size, widths) <= MOST_HELD &&
    (size === FOUR || 2 * heldBy(size / 2, widths) > MOST_HELD)
  );
  const tiles = sizes.flatMap((size) =>
    SHARE_LANES.map((lanes): AttendTile => ({ kernel: "subgroups", lanes, size }))
  );
  return tiles.filter((tile) => bytesOf(cutShares(tile, widths)) <= workgroupBytes);
}

/** The tile of `subgroups` that is taken where nothing has been measured; undefined where there is none. */
export function usualShare(
  widths: ShareWidths,
  workgroupBytes: number,
  { fewest, usual }: SubgroupLanes,
): AttendTile | undefined {
  const most = usual >= WIDE_SUBGROUP ? MOST_HELD : MOST_HELD_OF_NARROW;
  const tiles = shareTiles(widths, workgroupBytes, fewest);
  const { size } = tiles.find(({ size }) => heldBy(size, widths) <= most) ?? {};
  return tiles.findLast((tile) => tile.size === size);
}

/** vec4s of features and of columns that a lane holds of a row. */
function heldBy(size: number, { features, shared: { columns } }: ShareWidths): number {
  return Math.ceil(features / size) + Math.ceil(columns / size);
}
