import type { DeviceArray } from "../../backend.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import type { Recorder } from "../engine/recorder.ts";
import { reductions } from "./reductions.ts";
import { padRows, trimRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

/** From logits to the system of the ridge regression. */
const systemKernel: Kernel = {
  file: "ridge_system.wgsl",
  source: [shaders["elementary.wgsl"], shaders["ridge_system.wgsl"]],
};
const solver: Kernel = {
  file: "solve_ridge.wgsl",
  source: [reductions, shaders["solve_ridge.wgsl"]],
};
const heldSolver: Kernel = {
  file: "solve_held_ridge.wgsl",
  source: [reductions, shaders["solve_held_ridge.wgsl"]],
};
/** From its solution to values. */
const kernel: Kernel = {
  file: "calibrate_values.wgsl",
  source: [shaders["calibrate_values.wgsl"]],
};

/**
 * vec4s of a tile of products, which has four times as many rows; invocations that share the points of one, and those of a workgroup
 * that takes tiles. On the CPU loads limit, on a GPU the waiting of few lanes.
 */
const SOFTWARE_TILES = { WIDE: 2, TILE: 8, PARTS: 1, TAKERS: 32, SUMS: 1 };
const TILES = { WIDE: 1, TILE: 4, PARTS: 8, TAKERS: 64, SUMS: 64 };
/** Points or probes of a tile that a lane loads at a time on GPUs: each takes several vec4s. */
const AHEAD = 4, SOLVED_AHEAD = 2, SCALED_AHEAD = 16;
/** Lanes that solve a system on GPUs, tiles of it and of its solution that one of them may hold, and most tiles of a column. */
const SOLVERS = 256, MOST_HELD = 6, MOST_ROWS = 128;

/** Values of points after ridge regression of what they leave of the exact outputs of the probes. */
export function calibrateValues(
  recorder: Recorder,
  args: Arguments<"calibrateValues">,
): DeviceArray {
  const { logits, clusters, heads, valueFeatures, probes, fitted, most } = args;
  const columns = Math.ceil(valueFeatures / 4), blocks = Math.ceil(fitted / 4), { software } = recorder;
  const value = padRows(recorder, args.value, heads * most, valueFeatures);
  const output = padRows(recorder, args.output, heads * probes, valueFeatures);
  const mean = padRows(recorder, args.mean, heads, valueFeatures);
  const weights = recorder.array("float", heads * (probes + 1) * most, "the softmax rows of the probes");
  const system = recorder.array("float", heads * (8 * blocks + 4 * columns) * 4 * blocks, "the regression");
  const dual = recorder.array("float", heads * 4 * blocks * 4 * columns, "the solution of the regression");
  const moments = recorder.array("float", heads * (probes - fitted) * 4 * (columns + 1), "the judgements");
  const calibrated = recorder.array("float", heads * most * 4 * columns, "the calibrated values");
  const root = Math.sqrt(args.otherWeight);
  // A power of two, so that dividing by it is exact; 0 for values that are all 0 has no logarithm.
  const unit = 2 ** Math.floor(Math.log2(Math.max(args.largestValue, 2 ** -100)));
  const shape = { heads, probes, most, fitted, even: args.even, root, columns, blocks, unit };

  // On the CPU a row is too little work for lanes that take turns at barriers.
  const rowLanes = software ? { ROWS: 64, LANES: 1 } : { ROWS: 1, LANES: 64 };
  const tiles = software ? SOFTWARE_TILES : TILES, takers = tiles.TAKERS / tiles.PARTS;
  const rowTiles = Math.ceil(blocks / tiles.WIDE), columnTiles = Math.ceil(columns / tiles.WIDE);
  const gramGroups = Math.ceil(heads * Math.ceil(rowTiles / 2) * (rowTiles + 1) / takers);
  const systemStep = {
    kernel: systemKernel,
    definitions: {
      ...tiles,
      FOUR: 4,
      ...rowLanes,
      AHEAD: software ? 1 : AHEAD,
      LOADS: software ? 1 : SCALED_AHEAD,
    },
    constants: { SCALERS: software ? 64 : 256 },
    parameters: { ...shape, gramGroups },
    bindings: { logits, clusters, value, output, mean, weights, system },
  };
  recorder.dispatch({
    ...systemStep,
    entryPoint: "softmaxRows",
    workgroups: Math.ceil(heads * probes / rowLanes.ROWS),
  });
  recorder.dispatch({ ...systemStep, entryPoint: "columnScales", workgroups: heads });
  recorder.dispatch({
    ...systemStep,
    entryPoint: "products",
    workgroups: gramGroups + Math.ceil(heads * rowTiles * columnTiles / takers),
  });
  const held = software ? undefined : heldTiles(blocks, columns);
  recorder.dispatch({
    kernel: held ? heldSolver : solver,
    definitions: held ?? { AHEAD: software ? 1 : SOLVED_AHEAD },
    constants: { LANES: software ? 32 : SOLVERS },
    parameters: { heads, count: fitted, blocks, columns },
    bindings: { system, dual },
    workgroups: heads,
  });
  const step = {
    kernel,
    definitions: { ...tiles, FOUR: 4, AHEAD: recorder.loadsAhead, PROBES: recorder.loadsAhead },
    constants: { LANES: recorder.reducingLanes },
    parameters: { ...shape, largest: args.largestValue },
    bindings: { clusters, value, output, mean, weights, dual, moments, calibrated },
  };
  recorder.dispatch({
    ...step,
    entryPoint: "correct",
    workgroups: Math.ceil(heads * Math.ceil(most / tiles.TILE) * columnTiles / tiles.TAKERS),
  });
  recorder.dispatch({ ...step, entryPoint: "judge", workgroups: heads });
  return trimRows(recorder, calibrated, heads * most, valueFeatures);
}

/** How many tiles of a system each lane holds, where registers have room for it. */
function heldTiles(blocks: number, columns: number) {
  const HELD = Math.ceil((blocks + columns) * blocks / SOLVERS),
    SOUGHT = Math.ceil(blocks * columns / SOLVERS);
  return blocks + columns <= MOST_ROWS && HELD + SOUGHT <= MOST_HELD
    ? { HELD, SOUGHT, ROWS: MOST_ROWS }
    : undefined;
}
