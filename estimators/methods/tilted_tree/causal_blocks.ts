import { EMPTY, MASKED } from "../../../kernels/backend.ts";
import { pack } from "../../core/hidden_keys.ts";
import type { Problem } from "../../core/problem.ts";
import { visibleBefore, visibleKeys } from "../../core/visible_pairs.ts";
import type { HeadRun } from "../run_heads.ts";

/** Consecutive positions of causal queries, cut into blocks of equal length; the last one is filled up with the last position. */
export interface CausalBlocks {
  readonly blocks: number;
  /** Positions of a block. */
  readonly length: number;
}

/** Cuts positions into blocks of about a length: as many as that gives, all as short as they can be. */
export function cutPositions(period: number, length: number): CausalBlocks {
  const blocks = Math.ceil(period / length);
  return { blocks, length: Math.ceil(period / blocks) };
}

/** Where the queries of a head go, so that those of a block lie side by side. */
export interface BlockOrder {
  /** [blocks · sequences · length]: block after block, in each those of all sequences that share the head. */
  readonly rows: Uint32Array;
  /** [queries]: their places among `rows`. */
  readonly places: Uint32Array;
}

/** The order of the queries of a head by blocks; undefined if it is their own. */
export function orderByBlocks(
  { queries, period }: Pick<Problem, "queries" | "period">,
  { blocks, length }: CausalBlocks,
): BlockOrder | undefined {
  if (queries === period && blocks * length === period) return undefined;
  const sequences = queries / period, rows = new Uint32Array(blocks * sequences * length);
  const places = new Uint32Array(queries);
  for (let block = 0, at = 0; block < blocks; block++) {
    for (let sequence = 0; sequence < sequences; sequence++) {
      for (let position = block * length; position < (block + 1) * length; position++, at++) {
        rows[at] = sequence * period + Math.min(period - 1, position);
        if (position < period) places[rows[at]] = at;
      }
    }
  }
  return { rows, places };
}

/** The keys of a run of heads that no mask hides. */
export interface SeenKeys {
  /** [heads, keys, …]: those that may be seen in front, in their order; rows behind them are 0. */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Of the head that has most. */
  readonly keys: number;
  /** [heads]: keys of each. */
  readonly counts: Uint32Array;
  /** How many of the keys before a place of the problem they are. */
  before(head: number, place: number): number;
}

/** Takes the keys that a mask hides out of a run of heads. */
export function seenKeys(problem: Problem, { first, count: heads }: HeadRun): SeenKeys {
  const { keys, logWeights } = problem;
  const ofRun = (data: Float32Array) => {
    const size = data.length / problem.heads;
    return data.subarray(first * size, (first + heads) * size);
  };
  if (!logWeights) {
    const counts = new Uint32Array(heads).fill(keys);
    return {
      key: ofRun(problem.key),
      value: ofRun(problem.value),
      keys,
      counts,
      before: (_, place) => place,
    };
  }
  const all = visibleKeys(problem), before = visibleBefore({ heads, keys, logWeights: ofRun(logWeights) });
  const { key, value, keys: most } = pack(problem, first, first + heads, all);
  return {
    key,
    value,
    keys: most,
    counts: all.subarray(first, first + heads),
    before: (head, place) => before[head * (keys + 1) + place],
  };
}

/** [heads, blocks, sequences]: keys that come before the diagonal of each block, which all of its queries see. */
export function endsOfBlocks(
  problem: Problem,
  { blocks, length }: CausalBlocks,
  seen: SeenKeys,
): Uint32Array {
  const sequences = problem.queries / problem.period,
    ends = new Uint32Array(seen.counts.length * blocks * sequences);
  for (let at = 0; at < ends.length; at++) {
    const part = Math.floor(at / sequences);
    ends[at] = seen.before(Math.floor(part / blocks), problem.causalOffset! + part % blocks * length);
  }
  return ends;
}

/** The keys of the diagonals of all blocks: position t of a block sees the first t + 1 of them. */
export interface DiagonalKeys {
  /** [heads, blocks · length]: which of the seen keys they are; undefined if they are these, one after the other. */
  readonly index?: Uint32Array;
  /** [heads, blocks · length]: EMPTY where a mask hides one; undefined if none does. */
  readonly logWeights?: Float32Array;
}

/** Where the keys of the diagonals lie. */
export function diagonalKeys(
  { keys, causalOffset, logWeights }: Problem,
  { blocks, length }: CausalBlocks,
  seen: SeenKeys,
  firstHead: number,
): DiagonalKeys {
  const heads = seen.counts.length, whole = blocks * length;
  if (!logWeights && causalOffset === 0 && whole === keys) return {};
  const index = new Uint32Array(heads * whole), weights = logWeights && new Float32Array(index.length);
  for (let head = 0, at = 0; head < heads; head++) {
    for (let position = 0; position < whole; position++, at++) {
      // What fills the last block up is seen by nothing but what fills it up.
      const place = Math.min(keys - 1, causalOffset! + position);
      index[at] = Math.min(seen.keys - 1, seen.before(head, place));
      if (weights) weights[at] = logWeights![(firstHead + head) * keys + place] > MASKED ? 0 : EMPTY;
    }
  }
  return { index, logWeights: weights };
}
