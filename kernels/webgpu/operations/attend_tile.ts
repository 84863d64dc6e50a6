import { type AttendKernel, type AttendTile, REGISTER_TILES, TILE_LANES, TILE_SIZES } from "../tuning.ts";

/** Widths of a query row and of the values that an invocation accumulates, in vec4s. */
export interface AttendWidths {
  readonly features: number;
  readonly columns: number;
  /** How many invocations share the values of a row. */
  readonly chunks: number;
}

/** Most vec4 columns of the values that one invocation accumulates: 64 values. */
const MOST_COLUMNS = 16;
/** vec4s of queries that an invocation may hold: eight rows of 64 features are the most that compile in a few seconds. */
const MOST_HELD = 128;
/** Lanes and rows where a row alone takes more registers than that. */
const NARROW = [16, 1] as const;
/** Invocations that share keys, and most keys at a time, where nothing has been measured. */
const USUAL_LANES = 64, USUAL_KEYS = 32;

/** The widths of a problem: values are cut into chunks of the same number of vec4s. */
export function attendWidths(features: number, valueFeatures: number): AttendWidths {
  const valueColumns = Math.ceil(valueFeatures / 4), chunks = Math.ceil(valueColumns / MOST_COLUMNS);
  return { features: Math.ceil(features / 4), columns: Math.ceil(valueColumns / chunks), chunks };
}

/** The name of widths in a {@link Tuning}, such as "64 x 64". */
export function widthsOf({ features, columns }: AttendWidths): string {
  return `${4 * features} x ${4 * columns}`;
}

/** The tile that is taken where nothing has been measured. */
export function usualTile(kernel: AttendKernel, widths: AttendWidths, workgroupBytes: number): AttendTile {
  if (kernel === "tiles") {
    return { kernel, lanes: USUAL_LANES, size: Math.min(USUAL_KEYS, mostKeys(widths, workgroupBytes)) };
  }
  const size = [8, 4, 2].find((rows) => rows * widths.features <= MOST_HELD) ?? 1;
  return { kernel, lanes: NARROW[0], size };
}

/** Every tile that is worth measuring. */
export function possibleTiles(widths: AttendWidths, limits: GPUSupportedLimits): AttendTile[] {
  const held = REGISTER_TILES.filter(([, rows]) => rows * widths.features <= MOST_HELD);
  const most = mostKeys(widths, limits.maxComputeWorkgroupStorageSize);
  const sizes = [...new Set(TILE_SIZES.map((keys) => Math.min(keys, most)))];
  return [
    ...(held.length > 0 ? held : [NARROW]).map(([lanes, size]): AttendTile => ({
      kernel: "registers",
      lanes,
      size,
    })),
    ...TILE_LANES.filter((lanes) => lanes <= limits.maxComputeInvocationsPerWorkgroup)
      .flatMap((lanes) => sizes.map((size): AttendTile => ({ kernel: "tiles", lanes, size }))),
  ];
}

/** Whether a device can run a tile: it may come from the adapter under an older driver. */
export function hasRoom(tile: AttendTile, widths: AttendWidths, limits: GPUSupportedLimits): boolean {
  return tile.kernel === "registers"
    ? tile.size === 1 || tile.size * widths.features <= MOST_HELD
    : tile.lanes <= limits.maxComputeInvocationsPerWorkgroup &&
      tile.size <= mostKeys(widths, limits.maxComputeWorkgroupStorageSize);
}

/** Keys that fit in workgroup memory, in fours. */
function mostKeys({ features, columns }: AttendWidths, workgroupBytes: number): number {
  // A key takes its columns, its log-weight and its block.
  const keys = Math.floor(workgroupBytes / (16 * (features + columns) + 8));
  return Math.max(4, keys - keys % 4);
}

/** Whether two tiles are the same. */
export function isSameTile(a: AttendTile, b: AttendTile): boolean {
  return a.kernel === b.kernel && a.lanes === b.lanes && a.size === b.size;
}
