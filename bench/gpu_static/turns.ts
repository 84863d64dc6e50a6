import type { Dispatch } from "./runs.ts";
import { STRAIGHT_OF_TREES, TREE_TURNS, WORKING_OF_TREES } from "./tree_turns.ts";

/** Parameters, definitions and constants of a dispatch. */
type Values = Readonly<Record<string, number>>;

const up = (count: number, by = 1) => Math.max(1, Math.ceil(count / by));
const halvings = (count: number) => Math.max(1, Math.ceil(Math.log2(Math.max(2, count))));
const searches = (count: number, places: number) =>
  up(Math.log(Math.max(2, count)) / Math.log(places + 1)) + 1;
/** Lanes of workgroups that reduce, and what they load at a time. */
const LANES = 256, AHEAD = 8;
/** Clusters and parts of them that are known in the end, for each cluster: of real heads. */
const NODES_FOR_CLUSTER = 2.5;
/** A lane of a sample's side looks at so many rows; candidates for a pivot are as many. */
const SAMPLE = 96;

/**
 * How many turns the slowest invocation makes in each loop of a kernel, for RDNA 2: loops in the order of the machine code,
 * those that the compiler has written out left away. A loop in a loop is counted for all turns of the outer one together.
 */
const TURNS: Readonly<Record<string, (p: Values, values: Values) => readonly number[]>> = {
  ...TREE_TURNS,
  "adopt_cuts.wgsl adoptCuts": (p, { LANES: lanes }) => [
    up(p.levels, AHEAD),
    up(NODES_FOR_CLUSTER * p.most, AHEAD * lanes),
    up(p.columns * 2, lanes),
    halvings(p.most),
    up(p.columns, lanes),
    up(p.grown / p.most, lanes),
  ],
  "adopt_cuts.wgsl rankNodes": (
    p,
    { LANES: lanes },
  ) => [up(p.levels, AHEAD), up(NODES_FOR_CLUSTER * p.most, AHEAD * lanes)],
  "add_linear.wgsl main": (p, { DEPTH }) => [up(p.columns, DEPTH)],
  "attend_probes.wgsl joinOutputs": (p) => [up(p.chunks, AHEAD)],
  "attend_probes.wgsl partialOutputs": (p, { KEYS }) => [up(p.chunkKeys, KEYS)],
  "probe_chunks.wgsl chunkOutputs": (p, { SLICE, ACROSS, KEYS }) => {
    const groups = up(p.valueColumns, ACROSS);
    return [up(p.columns, SLICE), groups, groups * KEYS / AHEAD];
  },
  "probe_chunks.wgsl joinChunks": (p) => {
    const { columns, parts } = partsOf({ columns: p.valueColumns }, LANES), own = up(p.chunks, LANES);
    const groups = up(p.valueColumns, columns);
    return [
      own,
      own,
      groups,
      groups * up(p.chunks, AHEAD * parts),
      groups * up(parts - 1, AHEAD),
      up(p.keys, AHEAD * LANES),
    ];
  },
  "attend_tiles.wgsl main": attendTurns,
  "attend_subgroups.wgsl main": (p, v) => [up(keysOf(p), v.KEYS * v.QUADS)],
  "bisect_rows.wgsl begin": (p) => {
    const own = up(p.grown, LANES),
      { parts, columns } = partsOf(p, LANES),
      mean = [1, up(p.grown, AHEAD * parts), up(parts - 1, AHEAD)];
    return [own, ...mean, 1, own, own * up(columns, AHEAD), 1];
  },
  // Nothing is left to do where all levels were cut.
  "bisect_rows.wgsl cutOn": (p) => [1, up(p.most, LANES), ...Array(20).fill(0)],
  "cut_levels.wgsl cutLevel": cutTurns,
  "calibrate_values.wgsl correct": (p, { PROBES }) => [up(p.fitted, PROBES)],
  "calibrate_values.wgsl judge": (p, { AHEAD: ahead }) => {
    const judges = p.probes - p.fitted, tiles = up(judges, 4) * p.columns, turns = up(tiles, LANES);
    const parts = Math.floor(LANES / Math.min(tiles, LANES)), others = turns * (parts - 1);
    return [
      turns,
      turns * up(p.most, ahead * parts),
      ...[others, others, others, others],
      1,
      up(p.columns, ahead),
      1,
      up(judges, ahead),
      up(p.columns, LANES),
      up(p.columns, LANES) * up(p.most, ahead * partsOf(p, LANES).parts),
    ];
  },
  "descend_rows.wgsl aim": (p, { AHEAD: ahead }) => [up(p.columns, ahead)],
  "descend_rows.wgsl descend": (p) => [halvings(p.most) + 2, 0],
  "fit_centre.wgsl main": (p) => {
    const own = up(p.taken, LANES), { parts } = partsOf(p, LANES);
    return [own, own * up(p.probes, AHEAD), 1, up(p.taken, AHEAD * parts), parts - 1];
  },
  "fit_masses.wgsl fittedMasses": (p, { FOUR }) => [up(p.fitted, FOUR)],
  "fit_masses.wgsl seenMasses": (p, { FOUR }) => [up(p.fitted, FOUR)],
  "fit_masses.wgsl weigh": (p, { SHARES }) => [up(p.fitted, AHEAD * SHARES), up(p.fitted, AHEAD * SHARES)],
  "fit_means.wgsl pointKeys": (p, { PLACES }) => [0, searches(p.keys, PLACES), ...meanTurns(p)],
  "fit_means.wgsl pointValues": (
    p,
    { PLACES },
  ) => [0, 0, searches(p.keys, PLACES), ...meanTurns(p), 0, 0, 0, 1],
  "fit_slope.wgsl stray": (p, { SHARING }) => [
    up(p.fitted, AHEAD * SHARING),
    up(Math.max(p.columns, p.valueColumns), SHARING),
  ],
  "fit_slope.wgsl sumProducts": (p, { PARTS }) => {
    const halves = halvings(PARTS);
    // The compiler writes the first halvings of lanes out.
    return [up(p.taken, AHEAD * PARTS), halves, halves, halves];
  },
  "inner_products.wgsl main": (p) => [p.columns],
  "inner_products.wgsl single": (p) => [up(p.columns, AHEAD)],
  "join_splits.wgsl main": (
    p,
    { AHEAD: ahead },
  ) => [up(p.splits, ahead), up(p.splits, 8), up(p.splits, ahead)],
  "key_importance.wgsl combine": (p) => {
    const own = up(p.keys, AHEAD * LANES);
    return [own, own, own];
  },
  "key_importance.wgsl measure": (p, { OWN }) => {
    const counted = up(p.counted, AHEAD);
    return [up(p.columns, AHEAD), ...Array(OWN).fill(counted)];
  },
  "pair_buckets.wgsl countBlocks": (p) => [up(p.buckets + 1, LANES), up(p.buckets + 1, LANES)],
  "pair_buckets.wgsl findBuckets": (p) => [halvings(p.queries), halvings(p.keys)],
  "pair_buckets.wgsl placeBlocks": (p) => [halvings(p.buckets)],
  "ridge_system.wgsl columnScales": (
    p,
    { LOADS, SCALERS },
  ) => [up(p.most, SCALERS), up(p.most, SCALERS) * up(p.fitted, LOADS), up(p.most, SCALERS)],
  "ridge_system.wgsl products": (p, { AHEAD: ahead, PARTS }) => {
    const own = up(p.most, ahead * PARTS);
    return [own, own];
  },
  "ridge_system.wgsl softmaxRows": (p) => [up(p.most, 64), up(p.most, 64), 6, up(p.most, 64)],
  "rows.wgsl columnMean": (p) => [up(p.picks, AHEAD)],
  "rows.wgsl wholeMean": (p, { WHOLE, TOGETHER }) => [up(p.count, AHEAD * WHOLE / TOGETHER)],
  "rows.wgsl partialMean": (p) => [up(p.chunkRows, AHEAD)],
  "sketch_rows.wgsl main": (p) => [up(p.columns, p.folded)],
  "softmax_rows.wgsl logits": (p) => [up(p.columns, 8), p.columns],
  "softmax_rows.wgsl normalise": (p) => {
    const own = up(p.keys, AHEAD * LANES);
    return [own, own, own];
  },
  "solve_held_ridge.wgsl main": (p) => [p.blocks],
  "solve_ridge.wgsl main": (p, { AHEAD: ahead }) => {
    const { blocks } = p, own = up(blocks + p.columns, LANES), tiles = up(blocks * p.columns, LANES);
    const inner = up(blocks / 2, ahead), products = up(0.75 * blocks, ahead);
    return [blocks, blocks, blocks * own, blocks * own * inner, tiles, tiles * products, 0];
  },
  "sort_by_bucket.wgsl countShared": () => [],
  "sort_by_bucket.wgsl scanOffsets": (p) => {
    const own = up(p.digits * p.chunks, AHEAD * LANES);
    return [own, own];
  },
  "sort_by_bucket.wgsl scatterShared": (p, { CHUNK }) => [CHUNK / 16, p.scanned ? 0 : up(p.chunks, AHEAD)],
  "weigh_centre.wgsl main": (p) => {
    const own = up(p.probes, 64), columns = up(p.valueColumns, 64);
    return [
      columns,
      columns * up(p.probes, AHEAD),
      own,
      own * up(p.valueColumns, AHEAD),
      own * up(p.columns, AHEAD),
      up(p.probes, AHEAD),
      columns,
    ];
  },
  "weigh_slope.wgsl main": (p) => {
    const { columns, parts } = partsOf({ columns: p.valueColumns }, LANES),
      groups = up(p.valueColumns, columns);
    const runs = up(p.valueColumns, p.run), items = up(p.fitted * runs, LANES), own = up(p.fitted, LANES);
    return [
      groups,
      groups * up(p.fitted, AHEAD * parts),
      groups * up(parts - 1, AHEAD),
      items,
      items * up(p.run, AHEAD),
      own,
      own * runs,
      groups,
      groups * up(p.probes, AHEAD * parts),
      up(p.slopes, LANES * AHEAD),
      groups,
    ];
  },
};

/** Kernels without loops. */
const STRAIGHT: ReadonlySet<string> = new Set([
  ...STRAIGHT_OF_TREES,
  "attend_index.wgsl main",
  "halve_rows.wgsl main",
  "rows.wgsl centreRows",
  "rows.wgsl gatherRows",
  "rows.wgsl resizeRows",
]);

/** Kernels that the model knows, as file and entry point. */
export const modelledKernels: readonly string[] = [...Object.keys(TURNS), ...STRAIGHT];

/** How many workgroups have something to do, of kernels most of whose workgroups may have nothing. */
const WORKING: Readonly<Record<string, (p: Values, values: Values) => number>> = {
  ...WORKING_OF_TREES,
  "adopt_cuts.wgsl adoptCuts": (p) => p.heads * NODES_FOR_CLUSTER * p.most,
  "adopt_cuts.wgsl rankNodes": (p) => p.heads * NODES_FOR_CLUSTER * p.most,
  // Of real heads: first all clusters of a level, then a quarter of what there will be, then fewer and fewer.
  "cut_levels.wgsl cutLevel": (p) => {
    const beyond = Math.max(0, p.level - Math.log2(p.most) + 0.8);
    return p.heads * Math.min(2 ** p.level, 0.26 * p.most * 2 ** (-1.2 * beyond));
  },
};

/** The workgroups of a dispatch that have something to do. */
export function workingOf({ file, entryPoint, parameters, values, workgroups }: Dispatch): number {
  const working = WORKING[`${file} ${entryPoint}`]?.(parameters, values) ?? workgroups;
  return Math.min(workgroups, Math.ceil(working));
}

/** The turns of a dispatch's loops; undefined for a kernel that this list does not know. */
export function turnsOf({ file, entryPoint, parameters, values }: Dispatch): readonly number[] | undefined {
  const name = `${file} ${entryPoint}`;
  return STRAIGHT.has(name) ? [] : TURNS[name]?.(parameters, values);
}

/** Keys that a workgroup of attention takes, and the loops over its tiles, their keys, slices and groups. */
function attendTurns(p: Values, v: Values): number[] {
  const tiles = up(keysOf(p), v.FOUR * v.ACROSS);
  return [tiles, tiles, tiles * up(v.FEATURES, v.SLICE), tiles * up(v.ACROSS, v.GROUPS)];
}

function keysOf(p: Values): number {
  return Math.min(p.mostKeys, Math.ceil(p.keys / p.blocks) + p.samples);
}

/** The loop over columns, that over members of a cluster of usual size, and that over the parts of a sum. */
function meanTurns(p: Values): number[] {
  const parts = Math.floor(LANES / Math.min(p.columns, LANES));
  return [1, up(p.keys / p.most, 4 * parts), parts - 1];
}

/** Into how many parts lanes cut the members of a cluster. */
function partsOf({ columns }: Values, lanes: number): { columns: number; parts: number } {
  return { columns, parts: Math.floor(lanes / Math.min(columns, lanes)) };
}

/** A level halves the clusters of the one before; those that are cut last have a few members each. */
function cutTurns(p: Values, { LANES: lanes, SHARES, SIDE_AHEAD }: Values): number[] {
  const { columns, parts } = partsOf(p, lanes), length = up(p.grown / 2 ** p.level), own = up(length, lanes);
  const across = up(columns, SIDE_AHEAD), sampled = Math.min(SAMPLE, length), others = up(parts - 1, AHEAD);
  const mean = (members: number) => [1, up(members, AHEAD * parts), others];
  // Where a lane has one member it does without the loop that puts them in their places.
  const several = (own: number) => own > 1 ? own : 0;
  const known = Math.min(2 ** p.level, NODES_FOR_CLUSTER * p.most);
  return [
    ...[up(p.level, AHEAD), up(known, AHEAD * lanes), 0, 1, up(columns, AHEAD * SHARES), up(columns, lanes)],
    ...[up(sampled, lanes), up(sampled, lanes) * across, several(up(sampled, lanes))],
    ...mean(sampled),
    1,
    ...[own, own * across, several(own)],
    ...mean(length),
  ];
}
