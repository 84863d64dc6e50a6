import type { DeviceArray } from "../../backend.ts";
import { type Bisection, CUT_SAMPLE, PIVOT_CANDIDATES } from "../../coreset_primitives.ts";
import type { Arguments } from "../../primitives.ts";
import type { Kernel } from "../engine/kernel.ts";
import { reductions } from "./reductions.ts";
import type { Recorder } from "../engine/recorder.ts";
import { padRows } from "./pad_rows.ts";
import { shaders } from "../shaders.generated.ts";

const tree = shaders["member_of_part.wgsl"] + shaders["bisection_tree.wgsl"];
const cutting = [reductions, tree, shaders["cut_cluster.wgsl"]];
const kernel: Kernel = { file: "bisect_rows.wgsl", source: [...cutting, shaders["bisect_rows.wgsl"]] };
const levelCutter: Kernel = { file: "cut_levels.wgsl", source: [...cutting, shaders["cut_levels.wgsl"]] };
const adopter: Kernel = {
  file: "adopt_cuts.wgsl",
  source: [reductions, tree, shaders["adopt_cuts.wgsl"]],
};
const descender: Kernel = {
  file: "descend_rows.wgsl",
  source: [tree, shaders["descend_rows.wgsl"]],
};

/**
 * Cuts, and inner products of a lane, after which a dispatch leaves the rest to the next: Mesa's CPU driver (22.3)
 * silently ends every loop once an invocation has made 65,535 turns in all its loops, and GPUs stop shaders that run
 * for seconds.
 */
const CUTS = 64, WORK = 512, CUTS_ON_GPU = 1024, WORK_ON_GPU = 2 ** 14;
/** What is counted in 32 bits. */
const MOST_WORK = 2 ** 32 - 1;
/** Lanes of a head's workgroup: on the CPU, where they take turns at every barrier, the fewest that do, and on GPUs. */
const FEW_LANES = [8, 32], LANES = 256, FEW_LANES_ON_GPU = 64, FEW_MEMBERS = 32;
/** Turns of a loop that are written out, so that loads wait for one another less: for nothing on the CPU, where it costs. */
const AHEAD = 4, AHEAD_ON_GPU = 8, SIDE_AHEAD = 16, MOST_COLUMNS_ONE_BY_ONE = 32;
/** Levels that GPUs cut all at once: so many more than halving alone would take; and nodes for each cluster that there is room for. */
const MORE_LEVELS = 3, NODES_PER_CLUSTER = 4, MOST_NODES = 2 ** 12;
/** Words of a node: see bisection_tree.wgsl. */
const NODE_WORDS = 12;
/** Most turns of an invocation for one cut of all rows. */
const MOST_TURNS = 2 ** 14;
/** vec4s of a row that an invocation holds while it descends. */
const MOST_HELD = 16;

/** Clusters of the rows of each head by weighted bisection. */
export function bisectRows(recorder: Recorder, args: Arguments<"bisectRows">): Bisection {
  const { weights, heads, count, width, grownOn, budget, perCluster, others } = args;
  const most = Math.min(count, Math.max(1, Math.floor(budget / perCluster)));
  const columns = Math.ceil(width / 4), every = Math.ceil(count / grownOn), grown = Math.ceil(count / every);
  const { software } = recorder, few = columns <= MOST_COLUMNS_ONE_BY_ONE;
  const ahead = !software ? AHEAD_ON_GPU : few ? 1 : AHEAD;
  const fewest = FEW_LANES.find((lanes) => turnsOfCut(grown, columns, lanes, ahead) <= MOST_TURNS);
  const lanes = software && fewest || LANES;
  const cuts = software ? CUTS : CUTS_ON_GPU;
  const work = Math.min(MOST_WORK, (software ? WORK : WORK_ON_GPU) * lanes * every);
  const room = software
    ? 0
    : levelsFor(most, (grown + 1) * every + CUT_SAMPLE + PIVOT_CANDIDATES + perCluster);
  // The whole, and pairs of parts: no place is left between those that are taken and the end.
  const wanted = room && Math.min(NODES_PER_CLUSTER * most, MOST_NODES) + 1;
  const vectorsWith = (nodes: number) => heads * (3 * (most + nodes) + 1) * 4 * columns;
  // A device without room for the nodes does without them.
  const nodes = 4 * vectorsWith(wanted) <= recorder.largestArrayBytes ? wanted : 0, levels = nodes && room;
  const labels = recorder.array("word", heads * count, "the clusters of the rows");
  const clusters = recorder.array("word", heads, "the numbers of clusters");
  const products = recorder.array("word", heads, "the numbers of inner products");
  const rows = padRows(recorder, args.rows, heads * count, width);
  const words = 2 * (grown + 2 * most) + levels * grown + NODE_WORDS * nodes;
  const order = recorder.array("word", heads * words, "the order of the rows");
  const means = recorder.array("float", vectorsWith(nodes), "the means of the clusters");
  const moments = recorder.array("float", heads * (count + most + 1), "the moments of the rows");
  const cuttingWith = (lanes: number) => ({
    AHEAD: ahead,
    SIDE_AHEAD: !software && columns <= lanes ? Math.min(columns, SIDE_AHEAD) : ahead,
    SHARES: software ? 1 : lanes / PIVOT_CANDIDATES,
    STAGED: !software && columns <= lanes ? 1 : 0,
  });
  const step = {
    kernel,
    definitions: cuttingWith(lanes),
    constants: { LANES: lanes },
    parameters: {
      heads,
      count,
      columns,
      most,
      budget,
      perCluster,
      cuts,
      work,
      every,
      grown,
      levels,
      nodes,
      level: 0,
    },
    bindings: { rows, labels, order, means, weights, moments, clusters, products },
    workgroups: heads,
  };
  recorder.dispatch({ ...step, entryPoint: "begin" });
  if (levels > 0) {
    const counters = recorder.array("word", heads * (levels + 1), "the nodes of the levels");
    const { bindings: { weights, products, clusters, ...bindings }, parameters } = step;
    for (let level = 0; level < levels; level++) {
      // No more than there are members for: the fewer lanes, the sooner they agree.
      const lanes = grown >> level > FEW_MEMBERS ? LANES : FEW_LANES_ON_GPU;
      recorder.dispatch({
        ...step,
        kernel: levelCutter,
        definitions: cuttingWith(lanes),
        constants: { LANES: lanes },
        parameters: { ...parameters, level },
        bindings: { ...bindings, weights, counters },
        entryPoint: "cutLevel",
        workgroups: heads * Math.min(2 ** level, nodes),
      });
    }
    for (const entryPoint of ["rankNodes", "adoptCuts"]) {
      recorder.dispatch({
        ...step,
        kernel: adopter,
        constants: { LANES: FEW_LANES_ON_GPU },
        bindings: { ...bindings, clusters, products, counters },
        entryPoint,
        workgroups: heads * nodes,
      });
    }
  }
  // Cuts that fail make no cluster, but leave one that is not cut again: at most two cuts for each.
  const mostProducts = Math.min(budget, 2 * (count + every + 8) * most);
  const dispatches = Math.ceil(2 * most / cuts) + Math.floor(mostProducts / work);
  for (let at = 0; at < dispatches; at++) recorder.dispatch({ ...step, entryPoint: "cutOn" });
  const offsets = recorder.array("float", heads * most, "the offsets of the cuts");
  const { parameters } = step;
  const held = Math.min(columns, MOST_HELD), loaded = software ? 1 : Math.min(held, recorder.loadsAhead);
  const descent = {
    kernel: descender,
    definitions: { HELD: held, AHEAD: loaded, TURNS: Math.ceil(held / loaded) },
    constants: { MOVED: 0 },
    parameters,
    bindings: {
      rows,
      labels,
      order,
      means,
      centre: undefined,
      treeCentre: undefined,
      scale: undefined,
      offsets,
    },
  };
  if (every > 1 || others) {
    recorder.dispatch({ ...descent, entryPoint: "aim", workgroups: Math.ceil(heads * most / 64) });
  }
  if (every > 1) {
    recorder.dispatch({ ...descent, entryPoint: "descend", workgroups: Math.ceil(heads * count / 64) });
  }
  const otherLabels = recorder.array("word", heads * (others?.count ?? 0), "the clusters of other rows");
  if (others) {
    const { count, scale } = others;
    const pad = (array: DeviceArray, count: number) => padRows(recorder, array, heads * count, width);
    const move = { centre: pad(others.centre, 1), treeCentre: pad(others.treeCentre, 1), scale };
    recorder.dispatch({
      ...descent,
      constants: { MOVED: 1 },
      parameters: { ...parameters, count, every: 0 },
      bindings: { ...descent.bindings, ...move, rows: pad(others.rows, count), labels: otherLabels },
      entryPoint: "descend",
      workgroups: Math.ceil(heads * count / 64),
    });
  }
  return { labels, clusters, products, others: otherLabels };
}

/** How many levels are cut all at once: none where the costs of all nodes might overflow. */
function levelsFor(most: number, mostOfEach: number): number {
  return mostOfEach * (MOST_NODES + 2) < 2 ** 32 ? Math.ceil(Math.log2(most)) + MORE_LEVELS : 0;
}

/** Turns that a lane makes, about, in a cut of all rows of a head. */
function turnsOfCut(count: number, columns: number, lanes: number, ahead: number): number {
  const wide = Math.min(columns, lanes), parts = Math.floor(lanes / wide);
  const separating = Math.ceil(count / lanes) * (3 + Math.ceil(columns / ahead));
  const measuring = Math.ceil(count / parts / ahead) * Math.ceil(columns / wide);
  return separating + measuring;
}
