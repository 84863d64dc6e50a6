import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder, Step } from "../engine/recorder.ts";
import { reductions } from "./reductions.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "softmax_rows.wgsl",
  source: [shaders["elementary.wgsl"], reductions, shaders["softmax_rows.wgsl"]],
};

/** Most queries of one invocation, and fours of keys on an adapter emulated on the CPU, where loads limit. */
const MOST_QUERIES = 12, SOFTWARE_FOURS = 4;
/** Keys of all heads up to which a GPU has so few invocations that each takes fewer queries. */
const FEW_KEYS = 2 ** 13, FEW_QUERIES = 4;

/** Softmax probabilities of few queries over all keys. */
export function softmaxRows(recorder: Recorder, args: Arguments<"softmaxRows">): DeviceArray {
  return softmaxWithSums(recorder, args).probabilities;
}

/** The same together with the logarithms of the sums that they were divided by. */
export function softmaxWithSums(
  recorder: Recorder,
  args: Arguments<"softmaxRows">,
): { probabilities: DeviceArray; logSumExp: DeviceArray } {
  const { heads, queries, keys, features } = args;
  const query = padRows(recorder, args.query, heads * queries, features);
  const key = padRows(recorder, args.key, heads * keys, features);
  const probabilities = recorder.array("float", heads * queries * keys, "the softmax rows");
  const logSumExp = recorder.array("float", heads * queries, "the log-sum-exp of the softmax rows");
  const step = rowLogits(recorder, { ...args, query, key, logits: probabilities });
  recorder.dispatch({
    ...step,
    entryPoint: "normalise",
    bindings: { query, key, probabilities, logSumExp },
    workgroups: heads * queries,
  });
  return { probabilities, logSumExp };
}

/** Fills `logits`, [heads, queries, keys]; queries and keys as from {@link padRows}. Returns the step. */
export function rowLogits(
  recorder: Recorder,
  args: Arguments<"softmaxRows"> & { readonly logits: DeviceArray },
): Step {
  const { query, key, logits, heads, queries, keys, features, scale } = args;
  const fours = recorder.software ? SOFTWARE_FOURS : 1;
  const mostQueries = !recorder.software && heads * keys <= FEW_KEYS ? FEW_QUERIES : MOST_QUERIES;
  const queryTiles = Math.ceil(queries / mostQueries), keyTiles = Math.ceil(keys / (4 * fours));
  const step = {
    kernel,
    definitions: {
      QUERIES: Math.ceil(queries / queryTiles),
      FOURS: fours,
      FOUR: 4,
      AHEAD: recorder.loadsAhead,
    },
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, queries, keys, columns: Math.ceil(features / 4), queryTiles, keyTiles, scale },
    bindings: { query, key, probabilities: logits, logSumExp: undefined },
    entryPoint: "logits",
    workgroups: Math.ceil(heads * queryTiles * keyTiles / 64),
  };
  recorder.dispatch(step);
  return step;
}
