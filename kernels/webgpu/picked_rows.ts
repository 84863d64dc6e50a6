import type { DeviceArray } from "../backend.ts";
import type { GpuArray } from "./array.ts";

/**
 * Rows picked by `gatherRows` that are copied only once something needs them side by side: attention reads
 * picked keys and values through their index, which saves two passes over memory.
 */
export class PickedRows implements GpuArray {
  readonly type = "float";
  readonly length: number;
  /** Where the rows come from: [heads, count, width]. */
  readonly rows: DeviceArray;
  /** Which rows: [heads, picks] words below `count`. */
  readonly index: DeviceArray;
  readonly count: number;
  readonly #copy: () => GpuArray;
  #copied: GpuArray | undefined;

  constructor(
    args: { readonly rows: DeviceArray; readonly index: DeviceArray; readonly count: number },
    length: number,
    copy: () => GpuArray,
  ) {
    this.length = length;
    this.rows = args.rows;
    this.index = args.index;
    this.count = args.count;
    this.#copy = copy;
  }

  /** Whether the rows lie side by side already. */
  get copied(): boolean {
    return this.#copied !== undefined;
  }

  /** The rows side by side; records the copy at the first call. */
  get buffer(): GPUBuffer {
    this.#copied ??= this.#copy();
    return this.#copied.buffer;
  }
}

/** The common source of keys and values that were picked alike and not copied, if that is what they are. */
export function pickedAlike(
  key: DeviceArray,
  value: DeviceArray,
): { key: PickedRows; value: PickedRows } | undefined {
  const picked = key instanceof PickedRows && value instanceof PickedRows && key.index === value.index &&
    key.count === value.count && !key.copied && !value.copied;
  return picked ? { key, value } : undefined;
}
