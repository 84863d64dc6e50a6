/** How a dispatch of attention is cut among invocations. */
export interface AttendTile {
  /**
   * Whether an invocation holds several query rows in registers, a workgroup shares rows and keys in its memory, or invocations
   * of a subgroup share rows.
   */
  readonly kernel: "registers" | "tiles" | "subgroups";
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /**
   * Query rows of an invocation (`registers`), keys in workgroup memory at a time (`tiles`), or invocations that share rows
   * (`subgroups`).
   */
  readonly size: number;
}

/** The ways to compute attention on WebGPU: made for CPUs that emulate a GPU, for real GPUs, and for those with subgroups. */
export type AttendKernel = AttendTile["kernel"];

/** The fastest tiles that were found on an adapter, by the widths of queries and values: plain JSON, to be kept. */
export interface Tuning {
  /** Name of the adapter. */
  readonly adapter: string;
  /** By widths such as "64 x 64", of a query and of the values that an invocation sums at a time, in whole fours. */
  readonly tiles: Readonly<Record<string, AttendTile>>;
}

/** Invocations and rows of `registers` whose logits fit the workgroup memory that every device has. */
export const REGISTER_TILES: readonly (readonly [lanes: number, rows: number])[] = [
  [16, 8],
  [16, 4],
  [16, 2],
  [16, 1],
  [32, 4],
  [64, 2],
  [64, 1],
];
/** Invocations of `tiles`, and keys in workgroup memory at a time. */
export const TILE_LANES: readonly number[] = [32, 64, 128], TILE_SIZES: readonly number[] = [32];
/** Invocations of `subgroups`, and those that share rows: four rows are shared by one quad of them, two or four. */
export const SHARE_LANES: readonly number[] = [64, 128, 256], SHARE_SIZES: readonly number[] = [4, 8, 16];
/** Invocations and most keys of tiles that earlier versions gave: what a file has of them is not used, and no error. */
const EARLIER_LANES: readonly number[] = [32, 64, 128, 256], EARLIER_SIZE = 32;

/**
 * Refuses a tuning with tiles that there are not.
 *
 * @throws {RangeError} That names the widths and their tile.
 */
export function checkTuning({ tiles }: Tuning): void {
  for (const [widths, tile] of Object.entries(tiles)) {
    // From a file it may be anything.
    const { kernel, lanes, size } = tile ?? {} as AttendTile;
    const exists = kernel === "registers"
      ? REGISTER_TILES.some(([some, rows]) => some === lanes && rows === size)
      : kernel === "subgroups"
      ? SHARE_LANES.includes(lanes) && SHARE_SIZES.includes(size)
      : kernel === "tiles" && EARLIER_LANES.includes(lanes) && size >= 4 && size <= EARLIER_SIZE &&
        size % 4 === 0;
    if (!exists) {
      throw new RangeError(
        `Cannot use the tuning: ${widths} must have a tile that device.tune() gives: current value is ${
          JSON.stringify(tile)
        }`,
      );
    }
  }
}
