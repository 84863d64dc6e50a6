import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { pickRows } from "../../../linear_algebra/pick_rows.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { attendKept } from "../shared/attend_kept.ts";
import { eachHead } from "../shared/each_head.ts";
import { type Balancing, blocks, halveKeys } from "./halve_keys.ts";
import { walkProducts } from "./walk_block.ts";

/**
 * BalanceKV of Kochetkova, Sheth, Han, Zandieh and Kapralov, "Streaming Attention Approximation via Discrepancy Theory" (NeurIPS 2025): keys
 * get signs by a self-balancing walk, so that those of one sign stand for those of the other; half of the keys go in each round, and those that stay
 * weigh more.
 *
 * The authors' code weighs the values alone, so that constant values are not returned, and starts each block with the sign 1, so that at its
 * steepness some keys are never kept. Here weights count in the denominator too, the first sign is a coin's, and the budget decides how
 * large blocks are; they are of 128 keys there.
 */
export const balancekv: Method = {
  summary:
    "half of the keys dropped again and again, by signs that balance a walk; the others weigh more: where many keys weigh a little",
  source: "Kochetkova, Sheth, Han, Zandieh and Kapralov 2025, with the steepness of their code",
  promise:
    "an error of ε from keys in proportion to 1/ε, not 1/ε², for bounded norms; not at the steepness of their code",
  random: true,
  withinBudget: true,
  onHost: "the choice of keys",
  attend,
};

/** The steepness of the authors' code. */
export const GAMMA = 4;
/** Smallest blocks that are worth a walk. */
const SMALLEST = 8;

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys } = problem;
  const balancing = planBalancing(queries, keys, queries * perQuery(budget));
  return await attendBalanced(backend, problem, budget, balancing, {}, progress);
}

/**
 * BalanceKV with any options.
 *
 * @param options `valuesOnly`: weights multiply values, and the denominator counts each key alike, as in the authors' code.
 */
export async function attendBalanced(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  balancing: Balancing,
  { valuesOnly = false }: { readonly valuesOnly?: boolean } = {},
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys, features, valueFeatures } = problem;
  return await eachHead(
    "balancekv",
    backend,
    problem,
    budget,
    progress,
    async ({ at, query, key, value }) => {
      const random = new RandomStream(budget.seed, Purpose.coreset, at);
      const own = { ...problem, key, value };
      const { kept, weights, products } = await halveKeys(own, keys, balancing, random, progress.signal);
      const rows = pickRows(value, valueFeatures, kept), even = 2 ** balancing.rounds;
      if (valuesOnly) {
        rows.forEach((x, place) => rows[place] = x * weights[Math.floor(place / valueFeatures)] / even);
      }
      const weighted = {
        key: pickRows(key, features, kept),
        value: rows,
        logWeights: Float32Array.from(weights, (weight) => Math.log(valuesOnly ? even : weight)),
      };
      const result = await attendKept(backend, problem, query, weighted, progress.signal);
      return { ...result, keyEvaluations: queries * kept.length + products };
    },
  );
}

/**
 * The fewest rounds that leave enough of the evaluations for blocks that are worth a walk, and the largest blocks that there is enough for. Where
 * keys are so many more than queries that there never is, blocks of one key have signs by coins, which take nothing.
 *
 * @param evaluations All that may be spent on a head.
 */
export function planBalancing(queries: number, keys: number, evaluations: number): Balancing {
  const fits = (rounds: number, block: number) => {
    let left = keys, products = 0;
    for (let round = 0; round < rounds; round++, left = Math.ceil(left / 2)) {
      for (const [first, end] of blocks(left, block)) products += walkProducts(end - first);
    }
    return left * queries + products <= evaluations;
  };
  const last = Math.ceil(Math.log2(keys)), walk = { gamma: GAMMA, first: "coin" } as const;
  for (let rounds = 1; rounds <= last; rounds++) {
    if (!fits(rounds, SMALLEST)) continue;
    let block = SMALLEST, step = SMALLEST;
    while (step >= 1) {
      if (block < keys && fits(rounds, block + step)) {
        block += step;
        step *= 2;
      } else step = Math.floor(step / 2);
    }
    return { rounds, block, ...walk };
  }
  let rounds = 0, left = keys;
  for (; left * queries > evaluations; rounds++) left = Math.ceil(left / 2);
  return { rounds, block: 1, ...walk };
}
