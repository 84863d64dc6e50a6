import type { AttentionShape, Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { type HostAttention, uploadHeads } from "../../core/exact.ts";
import { ofHead } from "../../core/of_head.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { chooseProbes, type ProbeCounts } from "./probe_queries.ts";
import type { Problem } from "../../core/problem.ts";
import type { HeldOutRows } from "../held_out.ts";
import type { HeadRun } from "../run_heads.ts";

/** A run of heads on a device, and some of their queries. */
export interface PickedHeads {
  /** What a primitive that goes through all keys is given. */
  readonly shape: Omit<AttentionShape, "queries"> & {
    readonly scale: number;
    readonly key: DeviceArray;
    readonly value: DeviceArray;
  };
  readonly queries: number;
  readonly query: DeviceArray;
  /** [heads, valueFeatures] */
  readonly valueMean: DeviceArray;
  /** Probes of a head. */
  readonly probes: number;
  /** [heads, probes]: which queries they are. */
  readonly picks: Uint32Array;
  /** [heads, probes, features] */
  readonly probeRows: DeviceArray;
}

/** The same with exact rows of attention. */
export interface ProbedHeads extends PickedHeads {
  /** Attention of the probes to all keys; probabilities are [heads, probes, keys]. */
  readonly exact: PartialAttention & { readonly probabilities: DeviceArray };
}

/** Which rows of a run of heads are computed exactly. */
export type ProbedRows = Pick<PickedHeads, "queries" | "probes" | "picks"> & {
  readonly shape: Pick<AttentionShape, "heads" | "valueFeatures">;
};

/** Uploads heads and attends exactly from some of their queries. */
export function probeHeads(
  backend: Backend,
  problem: Problem,
  counts: ProbeCounts,
  seed: number,
  run: HeadRun,
): ProbedHeads {
  const picked = pickHeads(backend, problem, counts, seed, run);
  const { shape, probeRows, probes } = picked;
  return { ...picked, exact: backend.attendProbes({ ...shape, query: probeRows, queries: probes }) };
}

/** Uploads heads and gathers some of their queries. */
export function pickHeads(
  backend: Backend,
  problem: Problem,
  counts: ProbeCounts,
  seed: number,
  run: HeadRun,
): PickedHeads {
  const { queries, keys, features, valueFeatures, scale } = problem, heads = run.count;
  const probes = counts.uniform + counts.outlying + counts.heldOut;
  const { query, key, value } = uploadHeads(backend, problem, run.first, heads);
  const picks = pickProbes(problem, counts, seed, run);
  const probeRows = backend.gatherRows({
    rows: query,
    index: backend.upload(picks),
    heads,
    count: queries,
    width: features,
    picks: probes,
  });
  const shape = { heads, keys, features, valueFeatures, scale, key, value };
  const valueMean = backend.columnMean({ rows: value, heads, count: keys, width: valueFeatures });
  return { shape, queries, query, valueMean, probes, picks, probeRows };
}

/** Puts the exact rows of probes in their places. */
export function placeExactRows(
  { shape: { heads, valueFeatures }, queries, probes, picks }: ProbedRows,
  all: HostAttention,
  exact: HostAttention,
): void {
  for (let head = 0; head < heads; head++) {
    for (let at = head * probes; at < (head + 1) * probes; at++) {
      const row = head * queries + picks[at], from = at * valueFeatures;
      all.output.set(exact.output.subarray(from, from + valueFeatures), row * valueFeatures);
      all.logSumExp[row] = exact.logSumExp[at];
    }
  }
}

/** The last `rows` probes of each head, with what `all` has in their places before their exact rows get there. */
export function heldOutRows(
  { shape: { heads, valueFeatures }, queries, probes, picks: all }: ProbedRows,
  rows: number,
  { output, logSumExp }: HostAttention,
  meanValue: Float32Array,
): HeldOutRows[] {
  return Array.from({ length: heads }, (_, head) => {
    const picks = ofHead(all, head, heads).slice(probes - rows);
    return {
      picks,
      output: pickRows(ofHead(output, head, heads), valueFeatures, picks),
      logSumExp: pickRows(ofHead(logSumExp, head, heads), 1, picks),
      meanValue: ofHead(meanValue, head, heads),
      standFor: queries - probes,
    };
  });
}

/** The probes of several heads: [heads, probes]. */
export function pickProbes(
  { query, queries, features, heads: allHeads }: Problem,
  counts: ProbeCounts,
  seed: number,
  { first: firstHead, count: heads }: HeadRun,
): Uint32Array {
  const probes = counts.uniform + counts.outlying + counts.heldOut, picks = new Uint32Array(heads * probes);
  for (let head = 0; head < heads; head++) {
    const stream = new RandomStream(seed, Purpose.probes, firstHead + head);
    const own = ofHead(query, firstHead + head, allHeads);
    picks.set(chooseProbes(own, queries, features, counts, stream), head * probes);
  }
  return picks;
}
