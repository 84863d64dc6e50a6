import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { ListSums } from "../../tree_primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { reductions } from "./reductions.ts";
import { shaders } from "../shaders.generated.ts";

const enterer: Kernel = { file: "list_entries.wgsl", source: [reductions, shaders["list_entries.wgsl"]] };
const summer: Kernel = {
  file: "sum_lists.wgsl",
  source: [shaders["elementary.wgsl"], reductions, shaders["sum_lists.wgsl"]],
};

/** Keys of a workgroup that looks for entries, as the WGSL has them; lanes of an entry, and turns of its loops that are written out. */
const CHUNK = 1024, LANES = 128, AHEAD = 4;
/** Multiply-adds that each number takes as long as, on the CPU. */
const WORK = 24;
/** Lanes on the CPU, where they take turns at every barrier, and vec4s of all keys up to which they make few enough turns. */
const FEW_LANES = 8, MOST_OF_FEW = 2 ** 18;

/** What stands for the keys of each entry of each list. */
export function sumLists(recorder: Recorder, args: Arguments<"sumLists">): ListSums {
  const { heads, centres, count, most, width, features, valueFeatures, tilted } = args;
  const entries = entriesOf(recorder, args);
  const few = recorder.software &&
    count * Math.ceil(Math.max(width, features, valueFeatures) / 4) <= MOST_OF_FEW;
  const step = {
    kernel: summer,
    definitions: { AHEAD },
    constants: { LANES: few ? FEW_LANES : LANES },
    workgroups: heads * most,
  };
  const shape = { heads, centres, count, most, firstWorkgroup: 0 };
  const logWeight = recorder.array("float", heads * most, "the weights of the lists");
  const average = (rows: DeviceArray, features: number, name: string) => {
    const columns = Math.ceil(features / 4),
      means = recorder.array("float", heads * most * 4 * columns, name);
    recorder.dispatch({
      ...step,
      entryPoint: "average",
      parameters: { ...shape, columns, meanColumns: columns },
      bindings: {
        entries,
        weights: tilted.weights,
        source: padRows(recorder, rows, heads * count, features),
        means,
        centre: undefined,
        logMass: undefined,
        // Not written here; what is bound in its place may not be what is read.
        logWeight,
      },
      work: WORK * heads * centres * count * features,
    });
    return means;
  };
  const key = average(args.key, features, "the mean keys");
  const value = average(args.value, valueFeatures, "the mean values");
  recorder.dispatch({
    ...step,
    entryPoint: "weigh",
    parameters: { ...shape, columns: Math.ceil(width / 4), meanColumns: Math.ceil(features / 4) },
    bindings: {
      entries,
      weights: tilted.weights,
      source: padRows(recorder, args.tree.rows, heads * count, width),
      means: key,
      centre: padRows(recorder, args.centre, heads * centres, features),
      logMass: tilted.logMass,
      logWeight,
    },
    work: 2 * WORK * heads * centres * count * width,
  });
  return {
    key: trimRows(recorder, key, heads * most, features),
    value: trimRows(recorder, value, heads * most, valueFeatures),
    logWeight,
  };
}

/** Where the keys of each entry begin and end, and its centre: [heads, most, 3]. */
function entriesOf(recorder: Recorder, args: Arguments<"sumLists">): DeviceArray {
  const { heads, centres, count, most, first, threshold } = args, { gains } = args.tilted;
  const chunks = Math.ceil(count / CHUNK), pieces = heads * centres * chunks;
  const entries = recorder.array("word", heads * most * 3, "the entries of the lists");
  const step = {
    kernel: enterer,
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, centres, count, chunks, most },
    bindings: {
      gains,
      threshold,
      first,
      opened: recorder.array("word", pieces, "the numbers of entries"),
      entries,
    },
  };
  recorder.dispatch({ ...step, entryPoint: "clear", workgroups: Math.ceil(heads * most * 3 / 64) });
  recorder.dispatch({ ...step, entryPoint: "tally", workgroups: pieces });
  recorder.dispatch({ ...step, entryPoint: "enter", workgroups: pieces });
  return entries;
}
