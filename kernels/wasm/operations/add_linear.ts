import type { Backend, DeviceArray } from "../../backend.ts";
import * as layout from "../engine/layout.ts";
import { addressOf, type Recorder, type WasmArray } from "../engine/program.ts";

/** Records rows + offset + query · slope. */
export function addLinear(recorder: Recorder, args: Parameters<Backend["addLinear"]>[0]): DeviceArray {
  const result = recorder.floats(args.heads * args.count * args.valueFeatures);
  multiply(recorder, args, result);
  return result;
}

type Product = Omit<Parameters<Backend["addLinear"]>[0], "rows" | "offset"> & {
  readonly rows?: DeviceArray;
  readonly offset?: DeviceArray;
};

/** Records query · slope, added to rows + offset if there are any. */
export function multiply(recorder: Recorder, args: Product, result: WasmArray): void {
  const { heads, count, features, valueFeatures } = args;
  const inputs = [args.rows, args.query, args.slope, args.offset] as (WasmArray | undefined)[];
  recorder.record({
    code: layout.ADD_LINEAR,
    tasks: heads * Math.ceil(count / layout.CHUNK_ROWS),
    words: [
      ...inputs.map(addressOf),
      result.address,
      heads,
      count,
      features,
      valueFeatures,
      args.sameRow ? 1 : 0,
    ],
    inputs,
    outputs: [result],
  });
}
