import type { Arguments } from "../../primitives.ts";
import type { OpenLists } from "../../tree_primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { reductions } from "./reductions.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = { file: "open_lists.wgsl", source: [reductions, shaders["open_lists.wgsl"]] };

/** Gains of a workgroup, and numbers that are thresholds, with 0: as the WGSL has them. */
const CHUNK = 4096, BINS = 0x7f01;

/** Thresholds of gains, and the lengths of the lists that they cut, by a histogram of their upper bits. */
export function openLists(recorder: Recorder, args: Arguments<"openLists">): OpenLists {
  const { gains, sizes, heads, centres, count, budget } = args;
  const entries = recorder.array("word", heads * BINS * 2, "the histogram of the gains");
  const threshold = recorder.array("float", heads, "the thresholds of the gains");
  const lengths = recorder.array("word", heads * centres, "the lengths of the lists");
  const chunks = Math.ceil(count / CHUNK), pieces = heads * centres * chunks;
  const step = {
    kernel,
    definitions: { AHEAD: recorder.loadsAhead },
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, centres, count, chunks, budget },
    bindings: { gains, sizes, entries, threshold, lengths },
  };
  const words = heads * Math.max(2 * BINS, centres);
  recorder.dispatch({ ...step, entryPoint: "clear", workgroups: Math.ceil(words / 64) });
  recorder.dispatch({ ...step, entryPoint: "tally", workgroups: pieces });
  recorder.dispatch({ ...step, entryPoint: "choose", workgroups: heads });
  recorder.dispatch({ ...step, entryPoint: "measure", workgroups: pieces });
  return { threshold, lengths };
}
