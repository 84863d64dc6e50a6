import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { packArguments } from "../engine/arguments.ts";
import * as codes from "../engine/codes.generated.ts";
import * as layout from "../engine/layout.ts";
import type { WasmArray, Workspace } from "../engine/program.ts";

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
  const words = packArguments("ImportanceArguments", {
    columnShare: args.columnShare,
    valueShare: args.valueShare,
    uniformShare: args.uniformShare,
    probabilities,
    value,
    centre,
    importance,
    sizes,
    columns,
    sums,
    heads,
    keys,
    probes,
    counted,
    valueFeatures,
    valueScale: args.valueScale,
  });
  workspace.record({
    code: codes.VALUE_SIZES,
    tasks,
    words,
    inputs: [value, centre],
    outputs: [sizes, sums],
  });
  workspace.record({
    code: codes.KEY_SIZES,
    tasks,
    words,
    inputs: [probabilities, sizes, sums],
    outputs: [sizes, columns, sums],
  });
  workspace.record({
    code: codes.KEY_IMPORTANCE,
    tasks,
    words,
    inputs: [sizes, columns, sums],
    outputs: [importance],
  });
  return importance;
}
