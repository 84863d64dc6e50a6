import type { DeviceArray, PartialAttention } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { softmaxWithSums } from "./softmax_rows.ts";
import { shaders } from "../shaders.generated.ts";

const kernel: Kernel = {
  file: "attend_probes.wgsl",
  source: [shaders["attend_probes.wgsl"]],
};

/** Most queries of one invocation, and vec4s of a value row on an adapter emulated on the CPU, where loads limit. */
const MOST_QUERIES = 12, SOFTWARE_COLUMNS = 4;
/** Keys that one invocation sums over at least, and how many invocations share the keys of a head at most. */
const LEAST_KEYS = 64, SOFTWARE_CHUNKS = 64, MOST_CHUNKS = 256;
/** Keys that an invocation loads at a time on GPUs. */
const KEYS = 4;

/**
 * Attention of few queries that keeps their probabilities. `attend` gives each query to one invocation, of which a few
 * queries make too few to keep a device busy: here many share the keys.
 */
export function attendProbes(
  recorder: Recorder,
  args: Arguments<"attendProbes">,
): PartialAttention & { probabilities: DeviceArray } {
  const { heads, queries, keys, valueFeatures } = args, columns = Math.ceil(valueFeatures / 4);
  const { probabilities, logSumExp } = softmaxWithSums(recorder, args);
  const value = padRows(recorder, args.value, heads * keys, valueFeatures);
  const chunkKeys = Math.max(
      LEAST_KEYS,
      Math.ceil(keys / (recorder.software ? SOFTWARE_CHUNKS : MOST_CHUNKS)),
    ),
    chunks = Math.ceil(keys / chunkKeys);
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
      KEYS: recorder.software ? 1 : KEYS,
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
