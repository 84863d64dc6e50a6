import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import { TREE_GROUP } from "../../tree_primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { reductions } from "./reductions.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "share_groups.wgsl",
  source: [shaders["elementary.wgsl"], reductions, shaders["share_groups.wgsl"]],
};

/**
 * Weights of keys by how much the queries of each centre look at the groups they are in; as they are where no queries are given.
 *
 * @param rows Those of the tree, filled up to whole vec4s.
 * @param weights [heads, centres, count]
 */
export function shareGroups(
  recorder: Recorder,
  { tree, offsets, picks = 0, heads, centres, count, width }: Arguments<"tiltKeys">,
  rows: DeviceArray,
  weights: DeviceArray,
): DeviceArray {
  if (!offsets) return weights;
  const lines = heads * centres, columns = Math.ceil(width / 4), groups = Math.ceil(count / TREE_GROUP);
  const byQueries = recorder.array("float", lines * count, "the weights by which queries look");
  const step = {
    kernel,
    definitions: { AHEAD: recorder.loadsAhead },
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, centres, count, columns, groups, picks },
    bindings: {
      rows,
      cuts: tree.cuts,
      weights,
      offsets: padRows(recorder, offsets, lines * picks, width),
      means: recorder.array("float", lines * groups * 4 * (columns + 1), "the means of the groups"),
      ofQueries: recorder.array("float", lines * picks * 2, "the sums of the shares"),
      byQueries,
    },
  };
  const pieces = Math.ceil(lines * groups / 64);
  recorder.dispatch({ ...step, entryPoint: "meanGroups", workgroups: pieces });
  recorder.dispatch({ ...step, entryPoint: "totalShares", workgroups: lines * picks });
  recorder.dispatch({ ...step, entryPoint: "share", workgroups: pieces });
  return byQueries;
}
