import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type Recorder, type WasmArray } from "../engine/program.ts";

/** Records the Gray ranks of the rows' sign patterns. */
export function angularHash(recorder: Recorder, args: Parameters<Backend["angularHash"]>[0]): DeviceArray {
  const { heads, count, width, projections } = args;
  const rows = args.rows as WasmArray, shift = args.shift as WasmArray | undefined;
  const hyperplanes = args.hyperplanes as WasmArray;
  const ranks = recorder.words(heads * count);
  recorder.record({
    code: layout.ANGULAR_HASH,
    tasks: heads * Math.ceil(count / layout.HASH_ROWS),
    // deno-fmt-ignore
    words: [
      rows.address, addressOf(shift), hyperplanes.address, ranks.address, heads, count, width, projections,
    ],
    inputs: [rows, shift, hyperplanes],
    outputs: [ranks],
    scratchBytes: 4 * layout.GROUP_ROWS * layout.TILE_KEYS +
      4 * width * (Math.ceil(projections / layout.PANEL) * layout.PANEL + 2 * layout.GROUP_ROWS),
  });
  return ranks;
}
