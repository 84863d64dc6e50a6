import type { Backend, DeviceArray } from "../backend.ts";
import { floatBits } from "./array.ts";
import elementary from "./elementary.wgsl" with { type: "text" };
import type { Kernel } from "./pipelines.ts";
import type { Recorder } from "./recorder.ts";
import { padRows } from "./rows.ts";
import source from "./softmax_rows.wgsl" with { type: "text" };

const kernel: Kernel = {
  file: "softmax_rows.wgsl",
  source: [elementary, source],
  access: ["read", "read", "write"],
};

/** Most queries of one invocation. */
const MOST_QUERIES = 12;

/** Softmax probabilities of few queries over all keys. */
export function softmaxRows(recorder: Recorder, args: Parameters<Backend["softmaxRows"]>[0]): DeviceArray {
  const { query, key, heads, queries, keys, features, scale } = args;
  const probabilities = recorder.array("float", heads * queries * keys, "the softmax rows");
  const queryTiles = Math.ceil(queries / MOST_QUERIES), keyTiles = Math.ceil(keys / 4);
  const tileQueries = Math.ceil(queries / queryTiles);
  const step = {
    kernel,
    definitions: { QUERIES: tileQueries, FOUR: 4 },
    constants: { LANES: recorder.reducingLanes },
    parameters: [heads, queries, keys, Math.ceil(features / 4), queryTiles, keyTiles, floatBits(scale)],
    arrays: [
      padRows(recorder, query, heads * queries, features),
      padRows(recorder, key, heads * keys, features),
      probabilities,
    ],
  };
  recorder.dispatch({
    ...step,
    entryPoint: "logits",
    workgroups: Math.ceil(heads * queryTiles * keyTiles / 64),
  });
  recorder.dispatch({ ...step, entryPoint: "normalise", workgroups: heads * queries });
  return probabilities;
}
