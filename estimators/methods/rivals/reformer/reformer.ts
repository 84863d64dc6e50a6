import type { Backend } from "../../../../kernels/backend.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { type CostedHead, eachHead, type Head } from "../shared/each_head.ts";
import { attendRounds, type RoundRules } from "./attend_rounds.ts";
import { hashRounds, type RoundOptions } from "./hash_rounds.ts";
import { firstApart } from "./shared_rows.ts";

/** Rounds, where the budget has room for them; its authors take 1 to 8. */
const MOST_ROUNDS = 4;
/** A round takes no fewer evaluations than these, where one round fewer would do. */
const LEAST_ROUND = 12;
/** Evaluations of the least round: a direction for each factor, and chunks of one row. */
const LEAST_BUDGET = 4;
/** Of a round, the part that its hash may take. */
const HASH_SHARE = 1 / 3;

/**
 * Reformer of Kitaev, Kaiser and Levskaya, "Reformer: The Efficient Transformer" (ICLR 2020), where queries are keys up to their length:
 * rows are hashed by the random direction that they are nearest to, sorted, and cut into chunks; a query sees its chunk and the one
 * before, in several rounds of hashing, which make one softmax.
 *
 * A query sees its own key, which the paper hides to suit language models, and a key that it meets in several rounds counts once, as the
 * paper says and its codes do not. The hash has two factors, as its authors' code has for long sequences: with one, a direction for every
 * two chunks would cost more than all that chunks see.
 */
export const reformer: Method = {
  summary:
    "queries that are their own keys: chunks of a sorted hash, in several rounds; what no chunk holds is left out",
  source: "Kitaev, Kaiser and Levskaya 2020",
  onHost: "argmax and sort of the hash, and the softmax over chunks",
  random: true,
  withinBudget: true,
  keysAsGiven: true,
  refusal,
  attend,
};

function refusal(
  { query, key, queries, keys, features, scale, ...problem }: Problem,
  budget: Budget,
): string | undefined {
  const most = perQuery(budget);
  // Then it attends exactly, to whatever it is.
  if (most >= keys) return undefined;
  if (problem.causalOffset !== undefined || problem.logWeights !== undefined) {
    return "method reformer takes neither causal order nor a mask: parts of such a problem do not share queries and keys";
  }
  if (queries !== keys) {
    return `method reformer needs one query for each key, which it shares: current value is ${queries} queries for ${keys} keys`;
  }
  if (scale < 0) return `method reformer needs a scale of at least 0: current value is ${scale}`;
  const apart = firstApart(query, key, features);
  if (apart !== undefined) {
    return `method reformer needs keys that are queries up to their length: row ${apart % keys}` +
      (query.length > keys * features ? ` of head ${Math.floor(apart / keys)}` : "") + " is none";
  }
  return most < LEAST_BUDGET
    ? `method reformer needs a budget of at least ${LEAST_BUDGET} evaluations a query: current value is ${most}`
    : undefined;
}

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const plan = planRounds(problem.keys, perQuery(budget)), rules = { repeats: false, others: false };
  return await eachHead("reformer", backend, problem, budget, progress, async (head) => {
    const result = await attendShared(backend, problem, head, { ...plan, ...rules }, budget.seed, progress);
    return { ...result, keyEvaluations: result.keyEvaluations + problem.queries * hashCost(plan) };
  });
}

/** Rounds whose hashes and chunks take no more than so many evaluations for each query. */
export function planRounds(rows: number, most: number): RoundOptions {
  const rounds = Math.max(1, Math.min(MOST_ROUNDS, Math.floor(most / LEAST_ROUND)));
  const round = Math.max(LEAST_BUDGET, Math.floor(most / rounds));
  // Two factors of as many directions, d each, tell (2d)² buckets apart: one for each chunk, if they take no more than their share.
  const wanted = Math.ceil(Math.sqrt(rows / (round / 2)) / 2);
  const each = Math.max(1, Math.min(wanted, Math.floor(HASH_SHARE * round / 2)));
  return { rounds, factors: [each, each], chunkSize: Math.floor((round - 2 * each) / 2) };
}

/** Products that hashing takes for each row, which is a query and a key. */
function hashCost({ rounds, factors }: RoundOptions): number {
  return rounds * factors.reduce((sum, count) => sum + count, 0);
}

/** Output, log-sum-exp and evaluations of one head whose queries and keys are the same rows up to their length; the hash is not counted. */
export async function attendShared(
  backend: Backend,
  problem: Pick<Problem, "features" | "valueFeatures" | "scale">,
  head: Head,
  options: RoundOptions & RoundRules,
  seed: number,
  { signal }: Progress = {},
): Promise<CostedHead> {
  const { features: width } = problem, rows = { data: head.query, count: head.query.length / width };
  const rounds = await hashRounds(backend, rows, width, options, seed, head.at, signal);
  return await attendRounds(problem, head, rounds, options, signal);
}
