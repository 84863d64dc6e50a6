import type { DeviceArray, PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { reductions } from "./reductions.ts";
import { softmaxWithSums } from "./softmax_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "attend_probes.wgsl",
  source: [shaders["attend_probes.wgsl"]],
};
const chunkKernel: Kernel = {
  file: "probe_chunks.wgsl",
  source: [shaders["elementary.wgsl"], reductions, shaders["probe_chunks.wgsl"]],
};

/** Most queries of one invocation, and vec4s of a value row on an adapter emulated on the CPU, where loads limit. */
const MOST_QUERIES = 12, SOFTWARE_COLUMNS = 4;
/** Keys that one invocation sums over at least, and how many invocations share the keys of a head at most. */
const LEAST_KEYS = 64, SOFTWARE_CHUNKS = 64, MOST_CHUNKS = 256;
/** Keys that an invocation loads at a time on GPUs. */
const KEYS_AHEAD = 4;

/** How a workgroup cuts a chunk of keys: see probe_chunks.wgsl. */
const KEYS = 64, ACROSS = 16, CHAIN = 8, MOST_SLICE = 16;

/** What an attention leaves, and its probabilities. */
type ProbedAttention = PartialAttention & { readonly probabilities: DeviceArray };

/**
 * Attention of few queries that keeps their probabilities. `attend` gives each query to one invocation, of which a few
 * queries make too few to keep a device busy: here many share the keys. A GPU takes chunks of them and joins these; on the CPU, where
 * lanes take turns at barriers, and where what chunks leave would not fit an array, the probabilities come first.
 */
export function attendProbes(recorder: Recorder, args: Arguments<"attendProbes">): ProbedAttention {
  const { heads, queries, keys, valueFeatures } = args, ofChunks = Math.ceil(keys / KEYS) * heads * queries;
  const fits = 16 * ofChunks * Math.ceil(valueFeatures / 4) <= recorder.largestArrayBytes;
  return fits && !recorder.software ? attendChunks(recorder, args) : attendInTurn(recorder, args);
}

function attendInTurn(recorder: Recorder, args: Arguments<"attendProbes">): ProbedAttention {
  const { heads, queries, keys, valueFeatures } = args, columns = Math.ceil(valueFeatures / 4);
  const { probabilities, logSumExp } = softmaxWithSums(recorder, args);
  const value = padRows(recorder, args.value, heads * keys, valueFeatures);
  const mostChunks = recorder.software ? SOFTWARE_CHUNKS : MOST_CHUNKS;
  const chunkKeys = Math.max(LEAST_KEYS, Math.ceil(keys / mostChunks)), chunks = Math.ceil(keys / chunkKeys);
  const tiles = Math.ceil(queries / MOST_QUERIES);
  const each = recorder.software ? SOFTWARE_COLUMNS : 1, strips = Math.ceil(columns / each);
  const partial = recorder.array(
    "float",
    heads * chunks * queries * 4 * columns,
    "the parts of the probes' outputs",
  );
  const output = recorder.array("float", heads * queries * 4 * columns, "the probes' outputs");
  const step = {
    kernel,
    definitions: {
      QUERIES: Math.ceil(queries / tiles),
      COLUMNS: each,
      AHEAD: recorder.loadsAhead,
      KEYS: recorder.software ? 1 : KEYS_AHEAD,
    },
    parameters: { heads, queries, keys, columns, tiles, chunks, chunkKeys, strips },
    bindings: { probabilities, value, partial, output },
  };
  recorder.dispatch({
    ...step,
    entryPoint: "partialOutputs",
    workgroups: Math.ceil(heads * chunks * tiles * strips / 64),
  });
  recorder.dispatch({
    ...step,
    entryPoint: "joinOutputs",
    workgroups: Math.ceil(heads * queries * columns / 64),
  });
  return {
    output: trimRows(recorder, output, heads * queries, valueFeatures),
    logSumExp,
    probabilities,
  };
}

function attendChunks(recorder: Recorder, args: Arguments<"attendProbes">): ProbedAttention {
  const { heads, queries, keys, features, valueFeatures, scale } = args, rows = heads * queries;
  const columns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const tiles = Math.ceil(queries / MOST_QUERIES), chunks = Math.ceil(keys / KEYS);
  const ofTile = Math.ceil(queries / tiles), slice = Math.min(MOST_SLICE, CHAIN * Math.ceil(columns / CHAIN));
  const probabilities = recorder.array("float", rows * keys, "the softmax rows");
  const logSumExp = recorder.array("float", rows, "the log-sum-exp of the softmax rows");
  const output = recorder.array("float", rows * 4 * valueColumns, "the probes' outputs");
  const step = {
    kernel: chunkKernel,
    definitions: {
      QUERIES: ofTile,
      KEYS,
      QUARTER: KEYS / 4,
      CHAIN,
      SLICE: slice,
      CHAINS: slice / CHAIN,
      COPIES: Math.ceil(ofTile * slice / KEYS),
      ACROSS,
      SHARE: Math.ceil(ofTile * ACROSS / KEYS),
      AHEAD: recorder.loadsAhead,
    },
    constants: { LANES: recorder.reducingLanes },
    parameters: { heads, queries, keys, columns, valueColumns, tiles, chunks, scale },
    bindings: {
      query: padRows(recorder, args.query, rows, features),
      key: padRows(recorder, args.key, heads * keys, features),
      value: padRows(recorder, args.value, heads * keys, valueFeatures),
      probabilities,
      stats: recorder.array("float", 2 * chunks * rows, "the largest logits and totals of chunks"),
      partial: recorder.array("float", chunks * rows * 4 * valueColumns, "the parts of the probes' outputs"),
      output,
      logSumExp,
    },
  };
  recorder.dispatch({ ...step, entryPoint: "chunkOutputs", workgroups: heads * tiles * chunks });
  recorder.dispatch({ ...step, entryPoint: "joinChunks", workgroups: rows });
  return { output: trimRows(recorder, output, rows, valueFeatures), logSumExp, probabilities };
}
