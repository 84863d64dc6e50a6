import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import * as layout from "../engine/layout.ts";
import { doubleWords, floatWord, type WasmArray, type Workspace } from "../engine/program.ts";

/** Records how much each key deserves to be sampled: three passes, since each needs a sum from the one before. */
export function keyImportance(
  workspace: Workspace,
  args: Arguments<"keyImportance">,
): DeviceArray {
  const { heads, keys, probes, counted = probes, valueFeatures } = args;
  const probabilities = args.probabilities as WasmArray, value = args.value as WasmArray;
  const centre = args.centre as WasmArray;
  const tasks = heads * Math.ceil(keys / layout.CHUNK_ROWS);
  const importance = workspace.floats(heads * keys);
  const sizes = workspace.floats(heads * keys), columns = workspace.floats(heads * keys);
  const sums = workspace.words(tasks * 6);
  // deno-fmt-ignore
  const words = [
    ...doubleWords(args.columnShare), ...doubleWords(args.valueShare), ...doubleWords(args.uniformShare),
    probabilities.address, value.address, centre.address, importance.address, sizes.address, columns.address, sums.address,
    heads, keys, probes, counted, valueFeatures, floatWord(args.valueScale),
  ];
  workspace.record({
    code: layout.VALUE_SIZES,
    tasks,
    words,
    inputs: [value, centre],
    outputs: [sizes, sums],
  });
  workspace.record({
    code: layout.KEY_SIZES,
    tasks,
    words,
    inputs: [probabilities, sizes, sums],
    outputs: [sizes, columns, sums],
  });
  workspace.record({
    code: layout.KEY_IMPORTANCE,
    tasks,
    words,
    inputs: [sizes, columns, sums],
    outputs: [importance],
  });
  return importance;
}
