import type { Backend, DeviceArray } from "../../backend.ts";
import type { FittedSlope } from "../../coreset_primitives.ts";
import addSource from "./add_linear.wgsl" with { type: "text" };
import { floatBits } from "../engine/array.ts";
import source from "./fit_slope.wgsl" with { type: "text" };
import type { Kernel } from "../engine/pipelines.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows, trimRows } from "./rows.ts";
import weighSource from "./weigh_slope.wgsl" with { type: "text" };

const kernel: Kernel = {
  file: "fit_slope.wgsl",
  source: [source],
  access: ["read", "read", "read", "read", "read", "read", "write", "write"],
};
const weighKernel: Kernel = {
  file: "weigh_slope.wgsl",
  source: [weighSource],
  access: ["read", "read", "read", "write", "write", "write", "write"],
};
const addKernel: Kernel = {
  file: "add_linear.wgsl",
  source: [addSource],
  access: ["read", "read", "read", "read", "write"],
};

/** What one invocation takes, and how many invocations are a workgroup of those that sum up slopes. */
interface Tile {
  /** Rows and vec4s of a row of `addLinear`. */
  readonly rows: number;
  readonly columns: number;
  /** vec4s of a row of a slope. */
  readonly strip: number;
  readonly lanes: number;
}
const TILE: Tile = { rows: 4, columns: 1, strip: 1, lanes: 64 };
/** Where loads limit: the larger a tile, the less is loaded for each product. */
const SOFTWARE_TILE: Tile = { rows: 24, columns: 8, strip: 4, lanes: 16 };

function tileFor(recorder: Recorder): Tile {
  return recorder.software ? SOFTWARE_TILE : TILE;
}

/** The linear function that fitted points leave out; its slope has rows and columns padded to whole vec4s. */
export function fitSlope(recorder: Recorder, args: Parameters<Backend["fitSlope"]>[0]): FittedSlope {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, labels } = args;
  const columns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const every = Math.ceil(keys / args.sampled), taken = Math.ceil(keys / every);
  const slope = recorder.array("float", heads * 16 * columns * valueColumns, "the slopes");
  const total = Math.min(even, fitted) + otherWeight * Math.max(0, fitted - even);
  const tile = tileFor(recorder), strips = Math.ceil(valueColumns / tile.strip);
  const pointValue = padRows(recorder, args.points.value, heads * most, valueFeatures);
  const step = {
    kernel,
    definitions: { FOUR: 4, COLUMNS: tile.strip, LABELLED: labels ? 1 : 0 },
    constants: { LANES: tile.lanes },
    // deno-fmt-ignore
    parameters: [
      heads, keys, probes, fitted, even, floatBits(otherWeight), most, columns, valueColumns, taken, every,
      floatBits(args.scale * every / total), strips,
    ],
    arrays: [
      padRows(recorder, args.key, heads * keys, features),
      padRows(recorder, args.value, heads * keys, valueFeatures),
      padRows(recorder, args.points.key, heads * most, features),
      pointValue,
      labels,
      args.probabilities,
      recorder.array("float", heads * taken * 4 * (columns + valueColumns), "the strays"),
      slope,
    ],
  };
  recorder.dispatch({ ...step, entryPoint: "stray", workgroups: Math.ceil(heads * taken / 64) });
  recorder.dispatch({
    ...step,
    entryPoint: "sumProducts",
    workgroups: Math.ceil(heads * columns * strips / tile.lanes),
  });
  const rowsOfProbes = (name: string) => recorder.array("float", heads * probes * 4 * valueColumns, name);
  const linear = rowsOfProbes("the slopes at the probes"), output = rowsOfProbes("what slopes leave");
  const offset = recorder.array("float", heads * 4 * valueColumns, "the offsets of the slopes");
  multiply(recorder, { ...args, slope, count: probes }, linear);
  recorder.dispatch({
    kernel: weighKernel,
    constants: { LANES: tile.lanes },
    parameters: [
      heads,
      probes,
      fitted,
      even,
      floatBits(otherWeight),
      valueColumns,
      4 * columns * valueColumns,
      floatBits(2 ** Math.floor(Math.log2(Math.max(args.largestValue, 2 ** -100)))),
      valueColumns * (args.approximate ? probes : most),
      args.approximate ? valueColumns : 0,
    ],
    arrays: [
      linear,
      padRows(recorder, args.exact, heads * probes, valueFeatures),
      args.approximate ? padRows(recorder, args.approximate, heads * probes, valueFeatures) : pointValue,
      slope,
      offset,
      output,
      recorder.array("float", 2 * heads * fitted, "the parts of the slopes' factors"),
    ],
    entryPoint: "main",
    workgroups: heads,
  });
  return {
    slope,
    offset: trimRows(recorder, offset, heads, valueFeatures),
    output: trimRows(recorder, output, heads * probes, valueFeatures),
  };
}

/** rows + offset + query · slope. */
export function addLinear(recorder: Recorder, args: Parameters<Backend["addLinear"]>[0]): DeviceArray {
  const { heads, count, valueFeatures } = args;
  const result = recorder.array(
    "float",
    heads * count * 4 * Math.ceil(valueFeatures / 4),
    "the corrected rows",
  );
  multiply(recorder, {
    ...args,
    rows: padRows(recorder, args.rows, heads * (args.sameRow ? 1 : count), valueFeatures),
    offset: padRows(recorder, args.offset, heads, valueFeatures),
  }, result);
  return trimRows(recorder, result, heads * count, valueFeatures);
}

type Product = Omit<Parameters<Backend["addLinear"]>[0], "rows" | "offset"> & {
  readonly rows?: DeviceArray;
  readonly offset?: DeviceArray;
};

/** query · slope, added to padded rows + offset if there are any: rows that are padded as well. */
function multiply(recorder: Recorder, args: Product, result: DeviceArray): void {
  const { rows, query, slope, offset, heads, count, features, valueFeatures } = args;
  const columns = Math.ceil(features / 4), valueColumns = Math.ceil(valueFeatures / 4);
  const tile = tileFor(recorder);
  const groups = Math.ceil(count / tile.rows), chunks = Math.ceil(valueColumns / tile.columns);
  recorder.dispatch({
    kernel: addKernel,
    definitions: { ROWS: tile.rows, COLUMNS: tile.columns, ADDED: rows ? 1 : 0 },
    parameters: [heads, count, columns, valueColumns, groups, chunks, args.sameRow ? 0 : 1],
    arrays: [rows, padRows(recorder, query, heads * count, features), slope, offset, result],
    entryPoint: "main",
    workgroups: Math.ceil(heads * groups * chunks / 64),
  });
}
