import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { pickRows } from "../../../linear_algebra/pick_rows.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { attendExactly } from "../../run_heads.ts";
import { attendKept } from "../shared/attend_kept.ts";
import { clipColumns, columnRanges } from "../shared/column_ranges.ts";
import { eachHead } from "../shared/each_head.ts";
import { matchByPursuit, type MatchedKeys, matchHeaviest } from "./choose_keys.ts";
import { fitValues, keptShares, type ValueTask } from "./fit_values.ts";
import { plainValues, publishedHeaviest, publishedPursuit } from "./published_fits.ts";
import { type ReferenceRows, referenceRows } from "./reference_rows.ts";

/** How keys are chosen, and how many rows they are fitted to. */
export interface Matching {
  readonly choice: "heaviest" | "pursuit";
  /** Queries whose exact rows are the reference. */
  readonly rows: number;
  /** Keys that are kept, at most. */
  readonly kept: number;
  /** As the authors' code does it: masses solved without bounds and cut, values without a ridge, outputs wherever they fall. */
  readonly published?: boolean;
}

const ROOM = "Fast KV Compaction via Attention Matching (arXiv 2602.16284)";

/**
 * Attention Matching with the heaviest keys: exact rows of some queries say which keys to keep, what masses make the sums of their exponentials
 * right, and what values the outputs.
 *
 * The authors solve for masses without bounds and cut what falls outside, and for values without a ridge, so that with fewer rows than keys
 * other rows are answered with errors of any size. Here masses are the best within the same bounds, values have the ridge by which rows that are left
 * out are answered best, and outputs keep to the range of the values. Half of the budget goes into rows, half into keys; what
 * solving takes is not counted, as nowhere for others' methods.
 */
export const attentionMatching: Method = {
  summary:
    "the heaviest keys of some exact rows, with masses and values fitted to these: where all queries look to the same keys",
  source: `${ROOM}, highest attention`,
  random: true,
  withinBudget: true,
  onHost: "the choice of keys, their masses and values",
  refusal: (problem, budget) => refusal("attention-matching", problem, budget),
  attend: (...args) => attend("heaviest", ...args),
};

/**
 * Attention Matching with keys by orthogonal matching pursuit of the sums of the exponentials. Masses are never negative, with a small ridge, and all
 * fitted anew for each key; else as {@link attentionMatching}. It looks among eight times as many keys as it keeps, the heaviest.
 */
export const attentionMatchingOmp: Method = {
  summary:
    "keys by matching pursuit of the sums of exact rows, masses and values fitted to these: where few keys can stand for all",
  source: `${ROOM}, orthogonal matching pursuit`,
  random: true,
  withinBudget: true,
  onHost: "the choice of keys, their masses and values",
  refusal: (problem, budget) => refusal("attention-matching-omp", problem, budget),
  attend: (...args) => attend("pursuit", ...args),
};

/** Rows, and as many keys, that the budget is enough for: a row costs as much as all keys, a kept key as much as all queries. */
function affordable({ queries, keys }: Problem, budget: Budget): number {
  return Math.floor(queries * perQuery(budget) / (keys + queries));
}

function refusal(name: string, problem: Problem, budget: Budget): string | undefined {
  if (affordable(problem, budget) > 0 || perQuery(budget) >= problem.keys) return undefined;
  const least = Math.ceil(problem.keys / problem.queries) + 1;
  return `${name} takes a budget of at least ${least} for ${problem.queries} queries and ${problem.keys} keys: ` +
    `current value is ${perQuery(budget)}`;
}

async function attend(
  choice: Matching["choice"],
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const rows = affordable(problem, budget);
  if (rows > 0) return await attendMatched(backend, problem, budget, { choice, rows, kept: rows }, progress);
  return await attendExactly(backend, problem, progress, "exact: too few queries for one exact row");
}

/** Attention Matching with any options. */
export async function attendMatched(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  matching: Matching,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys, features, valueFeatures } = problem, { rows: drawn, published } = matching;
  const name = matching.choice === "pursuit" ? "attention-matching-omp" : "attention-matching";
  return await eachHead(name, backend, problem, budget, progress, async (head) => {
    const random = new RandomStream(budget.seed, Purpose.coreset, head.at);
    const rows = await referenceRows(backend, problem, head, drawn, random, progress.signal);
    const matched = match(rows, matching, random), kept = matched.keys.length;
    const shares = keptShares(matched, rows), own = pickRows(head.value, valueFeatures, matched.keys);
    const task: ValueTask = { shares, output: rows.output, rows: drawn, kept, width: valueFeatures };
    const weighted = {
      key: pickRows(head.key, features, matched.keys),
      value: published ? plainValues(task) : fitValues(task, own),
      logWeights: Float32Array.from(matched.masses, Math.log),
    };
    const result = await attendKept(backend, problem, head.query, weighted, progress.signal);
    if (!published) clipColumns(result.output, columnRanges(head.value, valueFeatures));
    return { ...result, keyEvaluations: queries * kept + drawn * keys };
  });
}

/** Keys and masses by one of the four ways. */
function match(
  rows: ReferenceRows,
  { choice, kept, published }: Matching,
  random: RandomStream,
): MatchedKeys {
  if (choice === "pursuit") return published ? publishedPursuit(rows, kept) : matchByPursuit(rows, kept);
  return published ? publishedHeaviest(rows, kept, random) : matchHeaviest(rows, kept);
}
