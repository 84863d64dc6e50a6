import type { CoresetPrimitives } from "./coreset_primitives.ts";
import type { AttentionShape, DeviceArray, PartialAttention } from "./device_array.ts";
import type { DeviceKind } from "./device_kinds.ts";
import type { Purpose, SeedWords } from "./random.ts";
import type { AttendRounding, RoundingShape } from "./rounding.ts";
import type { TreePrimitives } from "./tree_primitives.ts";
import type { Tuning } from "./webgpu/tuning.ts";

export { EMPTY, FAR, MASKED, NO_ROW } from "./constants.ts";

export type { AttentionShape, DeviceArray, PartialAttention } from "./device_array.ts";
export type { DeviceKind } from "./device_kinds.ts";

/** Arguments of {@link Backend.attend}. */
export interface AttendArguments extends AttentionShape {
  /** [heads, queries, features] */
  readonly query: DeviceArray;
  /** [heads, keys, features] */
  readonly key: DeviceArray;
  /** [heads, keys, valueFeatures] */
  readonly value: DeviceArray;
  /** Factor on every inner product. */
  readonly scale: number;
  /**
   * Logits are −scale · ‖query − key‖²/2 in place of scale · <query, key>: a Gaussian kernel. Computed as sums of squared differences,
   * so that what all rows have in common, and rows far away, cost no digits. Not together with `halves`.
   */
  readonly distances?: boolean;
  /** [heads, keys] floats added to the logits of a key; at or below MASKED hides the key. */
  readonly logWeights?: DeviceArray;
  /**
   * Key j is visible to query row i only if j <= (i mod period) + offset. `offset` may be negative; `period`
   * is the length of one sequence of queries (grouped-query heads stack several).
   */
  readonly causal?: { readonly period: number; readonly offset: number };
  /** Query block b attends to key block b only; blocks as in `partition.ts` over queries and over keys. */
  readonly blocks?: number;
  /** Hides a key from the queries of one block: `keyBlocks` [heads, keys] words; queries are cut into `blocks`. */
  readonly exclude?: { readonly keyBlocks: DeviceArray; readonly blocks: number };
  /**
   * [heads, queries] words, a permutation: the query at position p, which `blocks` and `exclude` cut, is row
   * queryOrder[p] of `query`, and its result is row queryOrder[p] of the output. Not together with `causal`.
   */
  readonly queryOrder?: DeviceArray;
  /** [heads, keys] words, a permutation: the key at position p is row keyOrder[p] of `key` and `value`. */
  readonly keyOrder?: DeviceArray;
  /** Keys that the queries of every other block see too. Not together with `exclude`. */
  readonly samples?: SampledKeys;
  /** Lets a device hold keys and values in half floats: see {@link HalvedKeys}. */
  readonly halves?: HalvedKeys;
  /** Says what each block is, in place of equal cuts. Not together with `causal`, `exclude` and `samples`. */
  readonly bounds?: BlockBounds;
}

/**
 * Keys and values that a WebGPU device may round to half floats, each times a power of two that brings the largest of
 * all to 2^14: numbers of up to 11 bits no more than 2^28 below the largest stay what they are. Other backends do not round.
 */
export interface HalvedKeys {
  /** Largest |x| in the keys, or more. */
  readonly largestKey: number;
  /** Largest |x| in the values, or more. */
  readonly largestValue: number;
}

/** Blocks of any size: see {@link AttendArguments.blocks}. */
export interface BlockBounds {
  /**
   * [heads, blocks, 4] words: position of the first query and of the first beyond, and the same of the keys. Each query is in
   * one block; blocks may be empty.
   */
  readonly positions: DeviceArray;
  /** Most queries of a block. */
  readonly mostQueries: number;
  /** Most keys of a block. */
  readonly mostKeys: number;
}

/** Rows of `key` and `value` that `attend` shows to the queries of all blocks but the one that holds the row. */
export interface SampledKeys {
  /** Keys per head. */
  readonly count: number;
  /** [heads, count] words: rows of `key` and `value`. */
  readonly index: DeviceArray;
  /** [heads, count] floats added to the logits. */
  readonly logWeights: DeviceArray;
  /** [heads, keys] words: the position of each row, the inverse of `keyOrder`. */
  readonly position: DeviceArray;
}

/**
 * What every device can do. A primitive records work and returns arrays that hold the result once `run` has
 * run; on a GPU everything between two calls of `run` is one submission. Primitives do not check arguments:
 * callers do, once.
 */
export interface Backend extends BasicPrimitives, CoresetPrimitives, TreePrimitives {
  /** Which kind of device this is. */
  readonly kind: DeviceKind;
  /** What runs, in words: adapter or instruction set and thread count. */
  readonly adapter: string;
  /** True for a WebGPU adapter that is emulated on the CPU. */
  readonly software: boolean;
  /** Largest array that a primitive accepts, in bytes. */
  readonly largestArrayBytes: number;
  /** All memory that arrays can have, in bytes, where that is known. */
  readonly memoryBytes?: number;
  /** Why it cannot be used any more, or null. */
  readonly lost?: string | null;

  /** Seconds that the device has computed by its own clock, where it was opened to measure them. */
  readonly busySeconds?: number;

  /** Measures the ways to compute attention of these widths and keeps the fastest, where there are several. */
  tune?(features: number, valueFeatures: number): Promise<Tuning>;

  /** How `attend` rounds without orders, blocks, samples and half floats. */
  attendRounding(shape: RoundingShape): AttendRounding;

  /** Copies values to the device. */
  upload(data: Float32Array | Uint32Array): DeviceArray;
  /**
   * Runs everything recorded and reads the given arrays back, in order.
   * Rejects with the signal's reason when it is aborted, and with DeviceLostError when the device went.
   */
  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]>;
  /** Drops everything recorded and frees every array made since the last reset. */
  reset(): void;
  /**
   * Gives back memory that only larger problems than the recent ones need. Called with no array in use when a job has
   * ended, and as `idle` when none has come for a while.
   */
  trim?(idle: boolean): void;
  /** Gives the device back. */
  destroy(): void;
}

/** What attention, hashing, sampling and densities ask of a device. */
export interface BasicPrimitives {
  /** Softmax attention of each query over its visible keys, without ever holding a queries × keys matrix. */
  attend(args: AttendArguments): PartialAttention;

  /** Softmax probabilities [heads, queries, keys] of few queries: for probing, so O(queries · keys) memory. */
  softmaxRows(args: {
    readonly query: DeviceArray;
    readonly key: DeviceArray;
    readonly heads: number;
    readonly queries: number;
    readonly keys: number;
    readonly features: number;
    readonly scale: number;
  }): DeviceArray;

  /**
   * Mean of the rows of each head: [heads, count, width] -> [heads, width]. Computed as first row + mean
   * difference from it, so that constant columns give their constant exactly.
   */
  columnMean(
    args: {
      readonly rows: DeviceArray;
      readonly heads: number;
      readonly count: number;
      readonly width: number;
    },
  ): DeviceArray;

  /** Rows minus a row [heads, width]: [heads, count, width]. */
  centreRows(args: {
    readonly rows: DeviceArray;
    readonly centre: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
  }): DeviceArray;

  /** Copies rows: out[h, i] = rows[h, index[h, i]]; [heads, count, width] -> [heads, picks, width]. */
  gatherRows(args: {
    readonly rows: DeviceArray;
    readonly index: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    readonly picks: number;
  }): DeviceArray;

  /**
   * Rows in fewer columns, by a count sketch whose buckets are fixed: column c of the result is the sum of the columns
   * c, c + folded, c + 2 folded, … of the row, each times its sign. Inner products and distances of rows are kept in the
   * mean over independent random signs. [heads, count, width] -> [heads, count, folded].
   */
  sketchRows(args: {
    readonly rows: DeviceArray;
    /** [folded · ⌈width/folded⌉] floats, 1 or −1 for each column of a row. */
    readonly signs: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    /** A multiple of four. */
    readonly folded: number;
  }): DeviceArray;

  /**
   * Angular locality-sensitive hash: sign bits against `projections` (1…24) hyperplanes [heads, projections, width],
   * bit i set if <hyperplane_i, row − shift> > 0, read as a binary-reflected Gray code. Returns the RANK of
   * that code, [heads, count] words below 2^projections: consecutive ranks differ in one sign.
   */
  angularHash(args: {
    readonly rows: DeviceArray;
    /** [heads, width], subtracted from every row first. */
    readonly shift?: DeviceArray;
    readonly hyperplanes: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    readonly projections: number;
  }): DeviceArray;

  /**
   * Stable counting sort of [heads, count] words below `buckets`.
   * order[h, p] = row at sorted position p; position[h, row] = its sorted position.
   */
  sortByBucket(
    args: {
      readonly ranks: DeviceArray;
      readonly heads: number;
      readonly count: number;
      readonly buckets: number;
    },
  ): { readonly order: DeviceArray; readonly position: DeviceArray };

  /**
   * Blocks of queries and keys of the same bucket, as `attend` takes them: [heads, ⌈queries/mostQueries⌉ + buckets, 4] words. The
   * blocks come in the order of their buckets, each a run of `mostQueries` of its queries, the last one of those that are left, and
   * the keys of the bucket: the middle ones, from ⌊(surplus)/2⌋ on, where these are more than `mostKeys`, and
   * the one at their place, or the last of all, where there are none. Empty blocks follow them.
   */
  pairBuckets(args: {
    /** [heads, queries] words below `buckets`, and the queries in their order; the same of the keys. */
    readonly queryRanks: DeviceArray;
    readonly queryOrder: DeviceArray;
    readonly keyRanks: DeviceArray;
    readonly keyOrder: DeviceArray;
    readonly heads: number;
    readonly queries: number;
    readonly keys: number;
    readonly buckets: number;
    readonly mostQueries: number;
    readonly mostKeys: number;
  }): DeviceArray;

  /**
   * How much each key deserves to be sampled, [heads, keys] floats that sum to about 1 per head:
   *   columnShare · x_j/Σx + valueShare · y_j/Σy + uniformShare/keys, where
   *   y_j = sqrt(||value_j − centre||² + mean_l ||value_l − centre||²) and x_j = y_j · sqrt(Σ_i probabilities_ij²).
   * A share whose sum is 0 counts as uniform. `probabilities` [heads, probes, keys] as from softmaxRows, of which the
   * first `counted` rows of each head count.
   */
  keyImportance(args: {
    readonly probabilities: DeviceArray;
    readonly probes: number;
    /** All of them by default. */
    readonly counted?: number;
    /** [heads, keys, valueFeatures] */
    readonly value: DeviceArray;
    /** [heads, valueFeatures], their mean. */
    readonly centre: DeviceArray;
    /** Factor on the values that keeps their squares in range; the result does not depend on it otherwise. */
    readonly valueScale: number;
    readonly heads: number;
    readonly keys: number;
    readonly valueFeatures: number;
    readonly columnShare: number;
    readonly valueShare: number;
    readonly uniformShare: number;
  }): DeviceArray;

  /**
   * Stratified sampling of `samples` keys of each head with probabilities p proportional to `importance`
   * [heads, keys], in exact integer arithmetic: T = Σ importance, W_j = 1 + floor(importance_j · 2^30 / T),
   * W = Σ W_j; [0, W) is cut as by partition.ts into `samples` strata; sample i falls at start_i +
   * multiplyHigh(randomWord(seed, purpose, firstStream + head, i), size_i) and picks the key whose cumulative interval holds it.
   * T = 0 gives W_j = 1. 1 <= samples <= keys < 2^30. Returns index [heads, samples] words and logWeight [heads, samples] floats,
   * ln(W / (samples · W_j)): the importance weight 1/(m p_j), exact for the probabilities really used.
   */
  sampleKeys(args: {
    readonly importance: DeviceArray;
    readonly heads: number;
    readonly keys: number;
    readonly samples: number;
    readonly seed: SeedWords;
    readonly purpose: Purpose;
    /** Stream of the first head, so that a head draws the same wherever it stands in a submission. */
    readonly firstStream: number;
  }): { readonly index: DeviceArray; readonly logWeight: DeviceArray };

  /** Merges two partial results over disjoint keys by their log-sum-exp. */
  mergeAttention(args: {
    readonly first: PartialAttention;
    readonly second: PartialAttention;
    readonly heads: number;
    readonly queries: number;
    readonly valueFeatures: number;
  }): PartialAttention;

  /**
   * Inner products of rows with few directions, for hashing:
   * [heads, count, width] and [heads, projections, width] -> [heads, count, projections].
   */
  innerProducts(args: {
    readonly rows: DeviceArray;
    readonly directions: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    readonly projections: number;
  }): DeviceArray;

  /**
   * Squared Euclidean distances of each query to rows of its own choice, as sums of squared differences, so that a
   * row equal to the query is at distance 0 exactly: [heads, queries, picks], FAR where the index is NO_ROW.
   */
  gatheredDistances(args: {
    /** [heads, count, width] */
    readonly rows: DeviceArray;
    /** [heads, queries, width] */
    readonly query: DeviceArray;
    /** [heads, queries, picks] words: rows, or NO_ROW. */
    readonly index: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly queries: number;
    readonly width: number;
    readonly picks: number;
  }): DeviceArray;
}
