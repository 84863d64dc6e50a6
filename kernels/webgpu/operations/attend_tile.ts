import type { SubgroupLanes } from "../engine/subgroups.ts";
import { shareRows, shareTiles, usualShare } from "./share_tile.ts";
import {
  type AttendKernel,
  type AttendTile,
  REGISTER_TILES,
  SHARE_LANES,
  TILE_LANES,
  TILE_SIZES,
} from "../tuning.ts";

/** How the values of a row are cut, in vec4s. */
export interface ValueChunks {
  /** Columns that an invocation accumulates, or a workgroup that shares keys. */
  readonly columns: number;
  /** How many share the values of a row. */
  readonly chunks: number;
}

/** Widths of a query row and of the values, in vec4s: of the kernel that holds rows in registers. */
export interface AttendWidths extends ValueChunks {
  readonly features: number;
  /** Those of the kernel that shares keys. */
  readonly shared: ValueChunks;
}

/**
 * Most vec4 columns of the values that one invocation accumulates, 64 values, and one workgroup that shares keys: each chunk
 * computes the same logits again.
 */
const MOST_COLUMNS = 16, MOST_SHARED_COLUMNS = 32;
/** vec4s of queries that an invocation may hold: eight rows of 64 features are the most that compile in a few seconds. */
const MOST_HELD = 128;
/** Lanes and rows where a row alone takes more registers than that. */
const NARROW = [16, 1] as const;
/** Rows, and keys, that an invocation of `tiles` takes: as many invocations share a row as it takes rows. */
const HEIGHT = 8, FOUR = 4;
/**
 * vec4s of features, and fours of values, that are in workgroup memory at a time. Where an invocation takes more than so many
 * columns, half as many fours, or a GPU has room for one workgroup alone, and rows in so many batches, or it spills registers.
 */
const MOST_SLICE = 4, GROUPS = 4, MOST_WIDTH = 2, WIDE_BATCHES = 4;

/** The widths of a problem: values are cut into chunks of the same number of vec4s. */
export function attendWidths(features: number, valueFeatures: number): AttendWidths {
  const valueColumns = Math.ceil(valueFeatures / 4);
  const cut = (most: number): ValueChunks => {
    const chunks = Math.ceil(valueColumns / most);
    return { columns: Math.ceil(valueColumns / chunks), chunks };
  };
  return { features: Math.ceil(features / 4), ...cut(MOST_COLUMNS), shared: cut(MOST_SHARED_COLUMNS) };
}

/** How a kernel cuts the values. */
export function chunksOf({ kernel }: AttendTile, widths: AttendWidths): ValueChunks {
  return kernel === "registers" ? widths : widths.shared;
}

/** The name of widths in a {@link Tuning}, such as "64 x 64". */
export function widthsOf({ features, columns }: AttendWidths): string {
  return `${4 * features} x ${4 * columns}`;
}

/** The tile that is taken where nothing has been measured. */
export function usualTile(
  kernel: AttendKernel,
  widths: AttendWidths,
  workgroupBytes: number,
  subgroupLanes?: SubgroupLanes,
): AttendTile {
  if (kernel !== "registers") {
    const share = kernel === "subgroups" && subgroupLanes &&
      usualShare(widths, workgroupBytes, subgroupLanes);
    if (share) return share;
    const room = sharedTiles(widths, workgroupBytes);
    return room[room.length - 1];
  }
  const size = [8, 4, 2].find((rows) => rows * widths.features <= MOST_HELD) ?? 1;
  return { kernel, lanes: NARROW[0], size };
}

/** Every tile that is worth measuring, where subgroups have so many lanes at least: 0 where there are none. */
export function possibleTiles(
  widths: AttendWidths,
  limits: GPUSupportedLimits,
  fewestLanes = 0,
): AttendTile[] {
  const held = REGISTER_TILES.filter(([, rows]) => rows * widths.features <= MOST_HELD);
  return [
    ...(held.length > 0 ? held : [NARROW]).map(([lanes, size]): AttendTile => ({
      kernel: "registers",
      lanes,
      size,
    })),
    ...sharedTiles(widths, limits.maxComputeWorkgroupStorageSize),
    ...shareTiles(widths, limits.maxComputeWorkgroupStorageSize, fewestLanes),
  ];
}

/** Fewest lanes of tiles of wide values that do not spill dozens of registers. */
const WIDE_LANES = 64;

/**
 * Every tile that is worth measuring on a GPU: WebGPU does not tell what spills, but for two GPUs a model does (`deno task bench gpu`),
 * and what spills dozens of registers there is slow, and takes longest to compile. Those are rows in registers, and few rows of
 * wide values.
 */
export function gpuTiles(widths: AttendWidths, limits: GPUSupportedLimits, fewestLanes = 0): AttendTile[] {
  const possible = possibleTiles(widths, limits, fewestLanes),
    sharing = possible.filter(({ kernel }) => kernel !== "registers");
  const lean = sharing.filter((tile) =>
    tile.kernel === "subgroups" || tile.lanes >= WIDE_LANES || cutTile(tile, widths).BATCHES === 1
  );
  return [lean, sharing].find((tiles) => tiles.length > 0) ?? possible;
}

/** Whether a device can run a tile: it may come from the adapter under an older driver, or another WebGPU. */
export function hasRoom(
  tile: AttendTile,
  widths: AttendWidths,
  limits: GPUSupportedLimits,
  fewestLanes = 0,
): boolean {
  if (tile.kernel === "registers") return tile.size === 1 || tile.size * widths.features <= MOST_HELD;
  return possibleTiles(widths, limits, fewestLanes).some((known) => isSameTile(tile, known));
}

/** The tiles of `tiles` for which workgroup memory has room, the largest last. */
function sharedTiles(widths: AttendWidths, workgroupBytes: number): AttendTile[] {
  const tiles = TILE_LANES.flatMap((lanes) =>
    TILE_SIZES.map((size): AttendTile => ({ kernel: "tiles", lanes, size }))
  );
  return tiles.filter((tile) => bytesOf(cutTile(tile, widths)) <= workgroupBytes);
}

/** The tile, or one with fewer rows where these are as many as share their keys. */
export function fitTile(tile: AttendTile, rows: number): AttendTile {
  if (tile.kernel === "registers") return tile;
  const some = tile.kernel === "tiles" ? TILE_LANES : SHARE_LANES;
  const lanes = some.find((some) => some >= tile.lanes || rowsOf({ ...tile, lanes: some }) >= rows);
  return { ...tile, lanes: lanes ?? tile.lanes };
}

/** Query rows that share their keys: of an invocation, or of a workgroup. */
export function rowsOf(tile: AttendTile): number {
  const { kernel, lanes, size } = tile;
  return kernel === "registers" ? size : kernel === "tiles" ? lanes : shareRows(tile);
}

/** What is defined in front of attend_tiles.wgsl, which says what each means. */
export type TileCut = Readonly<
  Record<
    | "LANES"
    | "ACROSS"
    | "DOWN"
    | "HEIGHT"
    | "FOUR"
    | "WIDTH"
    | "SLICE"
    | "GROUPS"
    | "BATCH"
    | "BATCHES"
    | "QUERY_COPIES"
    | "KEY_COPIES"
    | "VALUE_COPIES",
    number
  >
>;

/** How a workgroup of `tiles` cuts its work. */
export function cutTile(
  { lanes, size }: AttendTile,
  { features, shared: { columns } }: AttendWidths,
): TileCut {
  const across = size / FOUR, down = lanes / HEIGHT;
  const slice = Math.min(MOST_SLICE, features), width = Math.ceil(columns / across);
  const isWide = width > MOST_WIDTH,
    groups = isWide ? GROUPS / 2 : GROUPS,
    batches = isWide ? WIDE_BATCHES : 1;
  const copies = (vectors: number) => Math.ceil(vectors / lanes);
  return {
    LANES: lanes,
    ACROSS: across,
    DOWN: down,
    HEIGHT,
    FOUR,
    WIDTH: width,
    SLICE: slice,
    GROUPS: groups,
    BATCH: HEIGHT / batches,
    BATCHES: batches,
    QUERY_COPIES: copies(lanes * slice),
    KEY_COPIES: copies(size * slice),
    VALUE_COPIES: copies(FOUR * groups * width * across),
  };
}

/** Bytes of workgroup memory. */
function bytesOf({ LANES, ACROSS, WIDTH, SLICE, GROUPS }: TileCut): number {
  const keys = FOUR * ACROSS;
  return 16 * (SLICE * (LANES + keys + 2) + GROUPS * FOUR * WIDTH * ACROSS + LANES * ACROSS) +
    12 * (LANES + keys);
}

/** Whether two tiles are the same. */
export function isSameTile(a: AttendTile, b: AttendTile): boolean {
  return a.kernel === b.kernel && a.lanes === b.lanes && a.size === b.size;
}
