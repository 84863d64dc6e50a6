import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { reductions } from "./reductions.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "key_importance.wgsl",
  source: [reductions, shaders["key_importance.wgsl"]],
};

/** How much each key deserves to be sampled: see `Backend.keyImportance` for the formula. */
export function keyImportance(
  recorder: Recorder,
  args: Arguments<"keyImportance">,
): DeviceArray {
  const { probabilities, value, centre, heads, keys, probes, counted = probes, valueFeatures } = args;
  const valueSquare = recorder.array("float", heads * keys, "the squared norms of the values");
  const columnNorm = recorder.array("float", heads * keys, "the column norms");
  const importance = recorder.array("float", heads * keys, "the importance of the keys");
  const ofTile = recorder.software ? 4 : 1, tiles = Math.ceil(keys / ofTile);
  const step = {
    kernel,
    definitions: { OWN: ofTile, AHEAD: recorder.loadsAhead },
    constants: { LANES: recorder.reducingLanes },
    parameters: {
      heads,
      keys,
      probes,
      counted,
      columns: Math.ceil(valueFeatures / 4),
      tiles,
      valueScale: args.valueScale,
      columnShare: args.columnShare,
      valueShare: args.valueShare,
      uniformShare: args.uniformShare,
    },
    bindings: {
      probabilities,
      value: padRows(recorder, value, heads * keys, valueFeatures),
      centre: padRows(recorder, centre, heads, valueFeatures),
      valueSquare,
      columnNorm,
      importance,
    },
  };
  recorder.dispatch({ ...step, entryPoint: "measure", workgroups: Math.ceil(heads * tiles / 64) });
  recorder.dispatch({ ...step, entryPoint: "combine", workgroups: heads });
  return importance;
}
