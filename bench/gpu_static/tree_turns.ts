import type { Dispatch } from "./runs.ts";

/** Parameters, definitions and constants of a dispatch. */
type Values = Readonly<Record<string, number>>;

const up = (count: number, by = 1) => Math.max(1, Math.ceil(count / by));
const none = (loops: number): number[] => Array(loops).fill(0);
/** Rows that decide a cut, steps that move its plane, and keys of a window and of a chunk of gains. */
const SAMPLE = 256, STEPS = 3, WINDOW = 64, CHUNK = 4096;
/** Nodes of at most BLOCK rows have so large a part of them in the mean, and are so many levels deep. */
const FULL = 0.7, BLOCK_LEVELS = 9;
/** Keys of a group that queries look at as one. */
const GROUP = 16;
/** Entries of lists that stand for several keys have so many, and a node above a key so many others above it. */
const KEYS_OF_ENTRY = 64;

/** Workgroups of a wave that a GPU holds at a time, about. */
const WORKGROUPS = 1024;

/** Rows of a node of a level, of a tree that halves them; 0 where all are small. */
function rowsOfNode({ count, level }: Values, block: number): number {
  const rows = count / 2 ** level;
  return rows > block / 2 ? Math.max(rows, block) : 0;
}

/**
 * Turns of the loops of kernels that make a tree of the keys for clusters of the queries: as `TURNS` in turns.ts. What depends
 * on data is assumed: trees halve their nodes.
 */
export const TREE_TURNS: Readonly<Record<string, (p: Values, values: Values) => readonly number[]>> = {
  "cut_blocks.wgsl cutBlocks": (p, { BLOCK, FRONT, LANES }) => {
    const across = up(p.columns, FRONT), lanes = up(p.columns * BLOCK, LANES), levels = BLOCK_LEVELS;
    // All members of the nodes of a level, over the levels: a leader goes through its own.
    const all = 2 * FULL * BLOCK, measured = (times: number) => [times, times * across, 0, times * p.columns];
    return [
      ...[1, up(FULL * BLOCK, FRONT), FULL * BLOCK, levels, levels],
      ...[levels, levels * across, 0, levels, all, levels],
      ...[levels, levels * across, 0, levels, all],
      ...[levels * lanes, levels * STEPS, ...measured(levels * STEPS)],
      ...[levels * STEPS * lanes, STEPS * up(all, FRONT), ...measured(levels)],
      ...[levels, all, levels, all, levels, levels, 1],
    ];
  },
  "cut_blocks.wgsl findBlocks": (_, { BLOCK, FRONT }) => [up(BLOCK / 2, FRONT)],
  "cut_nodes.wgsl cutNodes": (p, { BLOCK, FRONT, LANES }) => {
    const rows = rowsOfNode(p, BLOCK), sampled = Math.min(SAMPLE, rows), across = up(p.columns, FRONT);
    if (rows === 0) return none(27);
    const wide = Math.min(p.columns, LANES), parts = Math.floor(LANES / wide), groups = up(p.columns, wide);
    const own = up(sampled, LANES), all = up(rows, LANES), farthest = [own, own * across, 0];
    return [
      ...[1, own, ...farthest, ...farthest, 1],
      ...[STEPS, STEPS * p.columns, STEPS * own, STEPS * own * across, 0],
      ...[STEPS * groups, STEPS * groups * up(sampled, 4 * parts), STEPS * groups * up(parts - 1, FRONT)],
      ...[all, all * across, 0, own, own, own * sampled / 4, p.columns, all, all, all],
    ];
  },
  "key_scatters.wgsl limit": (p) => [2, Math.log2(p.count)],
  "key_scatters.wgsl measure": (p, { FOUR, FRONT, GROUP, LANES }) => {
    const turns = WINDOW * GROUP / LANES,
      columns = turns * up(p.columns, GROUP),
      few = columns * WINDOW / 4 / FRONT;
    // Of nodes of many keys half have two windows, a quarter four; where there are few workgroups, all wait for the one with all keys.
    const rounds = p.heads * p.tiles * p.windows / WORKGROUPS;
    const items = WINDOW + Math.log2(p.windows) + p.windows / Math.max(1, rounds);
    const deep = Math.floor(LANES / Math.min(p.columns, LANES)), own = up(items, FRONT * deep);
    return [
      ...[turns, 2 * turns, columns, few, few, 1],
      ...[1, FOUR, FOUR * up(items, LANES), FOUR * own, FOUR * deep, FOUR * own],
    ];
  },
  "key_scatters.wgsl sumWindows": (p, { FRONT, GROUP }) => {
    const rows = up(p.columns, GROUP) * WINDOW / FRONT;
    return [up(p.columns, GROUP), rows, rows];
  },
  "list_entries.wgsl enter": (p, { LANES }) => {
    const run = 1024 / LANES;
    return [up(p.chunks, LANES), run, run];
  },
  "list_entries.wgsl tally": (_, { LANES }) => [1024 / LANES],
  "nearest_centres.wgsl main": (p, { CENTRES }) => [
    up(p.centres, CENTRES),
    up(p.centres, CENTRES) * p.columns,
  ],
  "open_lists.wgsl choose": (p, { AHEAD, LANES }) => {
    const bins = up(0x7f01, LANES * AHEAD), lanes = up(LANES, AHEAD);
    return [up(p.centres, LANES), lanes, bins, lanes, bins];
  },
  "open_lists.wgsl measure": (p, { LANES }) => [up(Math.min(p.count, CHUNK), LANES)],
  "open_lists.wgsl tally": (p, { LANES }) => [up(Math.min(p.count, CHUNK), LANES)],
  "share_groups.wgsl meanGroups": (p, { AHEAD }) => {
    const own = up(GROUP, AHEAD);
    return [own, own, own, p.columns, p.columns * own, p.columns * own];
  },
  "share_groups.wgsl share": (p, { AHEAD }) => {
    const own = up(GROUP, AHEAD);
    return [p.picks, p.picks * up(p.columns, AHEAD), own, own, own];
  },
  "share_groups.wgsl totalShares": (p, { AHEAD, LANES }) => {
    const own = up(p.groups, LANES);
    return [own, own * up(p.columns, AHEAD)];
  },
  "sum_lists.wgsl average": (p, { AHEAD, LANES }) => {
    const { own, mass, parts } = sumsOf(p, AHEAD, LANES);
    return [1, mass, 1, own, parts];
  },
  "sum_lists.wgsl weigh": (p, { AHEAD, LANES }) => {
    const { own, mass, parts } = sumsOf(p, AHEAD, LANES);
    return [mass, 1, own, parts, own, 1];
  },
  "tilt_keys.wgsl sumChunks": (_, { LANES }) => [up(1024, LANES), up(1024, LANES)],
  "tilt_keys.wgsl weigh": (p, { LANES }) => [
    up(p.chunks, LANES),
    up(p.chunks, LANES),
    up(1024, LANES),
  ],
};

function sumsOf({ columns }: Values, ahead: number, lanes: number) {
  const parts = Math.floor(lanes / Math.min(columns, lanes));
  return { own: up(KEYS_OF_ENTRY, ahead * parts), mass: up(KEYS_OF_ENTRY, ahead * lanes), parts };
}

/** Kernels of these without loops. */
export const STRAIGHT_OF_TREES: readonly string[] = [
  "cut_nodes.wgsl begin",
  "key_scatters.wgsl findParents",
  "list_entries.wgsl clear",
  "open_lists.wgsl clear",
];

/** How many workgroups have something to do: as in turns.ts. */
export const WORKING_OF_TREES: Readonly<Record<string, (p: Values, values: Dispatch["values"]) => number>> = {
  "cut_nodes.wgsl cutNodes": (p, { BLOCK }) => rowsOfNode(p, BLOCK) > 0 ? p.heads * 2 ** p.level : 0,
};
