import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { perFeature } from "../performer/performer.ts";
import { type CostedHead, eachHead, type Head } from "../shared/each_head.ts";
import { arrangeBits } from "./arrange.ts";
import { attendFound, type FoundOptions } from "./attend_found.ts";
import type { TableShape } from "./chance.ts";
import { someCosines } from "./cosines.ts";
import { type Geometry, geometryOf, type Space } from "./geometry.ts";
import { hashHead, Tables } from "./tables.ts";

/** Keys that every query sees, as published. */
const SINKS = 4;
/** Tables in which the others must meet it: two as published, one with the few bits that a budget pays. */
const PUBLISHED_COLLISIONS = 2, COLLISIONS = 1;
/** Keys that queries may find in the mean, in units of those that they may look at: bits come in whole numbers for each table. */
const MOST_FOUND = 1.5;
/** Of the budget, the part that hashing may take. */
const HASH_SHARE = 1 / 2;
/** Sign bits of a table, as published. */
const PUBLISHED_BITS = 10;
/** Tables at most: as many as memory has room for, with an index of all keys for each. */
const MOST_TABLES = 1000;

/**
 * MagicPIG of Chen et al., "MagicPIG: LSH Sampling for Efficient LLM Generation" (ICLR 2025), within a budget: hash tables of sign bits, a
 * key counts if it shares the bucket of a query, with the weight 1/u of its chance u to.
 *
 * Its authors hash by more hyperplanes than the keys that a query then sees, which a cache of keys may hide, and ask for two tables. Here
 * hyperplanes are half of the budget, tables have as few of these bits as the other half allows, and one suffices: with so few bits,
 * two errs more on six of seven real heads.
 */
export const magicpig: Method = {
  summary: "keys that share buckets with a query, weighed by their chance to, hashing paid from the budget",
  source: "Chen et al. 2025, with fewer bits",
  promise: "unbiased sums Σ e^⟨q, k⟩ (v, 1) for tables given in advance",
  onHost: "buckets of the tables, and the softmax over keys found",
  random: true,
  withinBudget: true,
  refusal: (problem, budget) => {
    const least = Math.ceil(COLLISIONS * perFeature(problem)) + 1;
    return perQuery(budget) < Math.min(least, problem.keys)
      ? `method magicpig needs a budget of at least ${least} evaluations a query for ${problem.queries} queries and ` +
        `${problem.keys} keys: current value is ${perQuery(budget)}`
      : undefined;
  },
  attend: attendWithin,
};

/** The same with 10 bits for each table, and as many tables as it takes to find the keys of the budget: hashing is on top. */
export const magicpigPublished: Method = {
  summary:
    "`magicpig` as published: tables of 10 bits, as many as find the keys of the budget; hashing is on top",
  source: "Chen et al. 2025, with 4 sinks and the number of tables for the budget",
  promise: "unbiased sums Σ e^⟨q, k⟩ (v, 1)",
  onHost: magicpig.onHost,
  random: true,
  withinBudget: false,
  attend: attendPublished,
};

async function attendWithin(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys, features, scale } = problem, most = perQuery(budget), each = perFeature(problem);
  const perRow = Math.max(COLLISIONS, Math.floor(HASH_SHARE * most / each));
  const rest = Math.max(1, most - perRow * each), sinks = Math.min(SINKS, Math.ceil(rest / 2));
  return await eachHead("magicpig", backend, problem, budget, progress, async (head) => {
    const geometry = geometryOf(head.query, head.key, features, "centred", scale);
    const hashed = await hashHead(backend, geometry, perRow, budget.seed, head.at, progress.signal);
    const pairs = new RandomStream(budget.seed, Purpose.probes, head.at), found = Math.max(0, rest - sinks);
    const shape = arrangeBits(hashed, COLLISIONS, MOST_FOUND * found, pairs);
    const options = { sinks, recent: 0, most: Math.floor(found * queries) };
    const tables = new Tables(hashed, shape), { seed } = budget;
    const result = await attendFound(problem, head, geometry, tables, shape, options, seed, progress.signal);
    return { ...result, keyEvaluations: result.keyEvaluations + perRow * (queries + keys) };
  });
}

async function attendPublished(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys } = problem,
    most = perQuery(budget),
    shape = { bits: PUBLISHED_BITS, collisions: PUBLISHED_COLLISIONS };
  return await eachHead("magicpig-published", backend, problem, budget, progress, async (head) => {
    const { tables, products } = tablesOf(
      problem,
      head,
      { ...shape, space: "centred" },
      most - SINKS,
      budget.seed,
    );
    const options = { ...shape, tables, space: "centred", sinks: SINKS, recent: 0 } as const;
    const result = await attendHashed(backend, problem, head, options, budget.seed, progress);
    const keyEvaluations = result.keyEvaluations + products + tables * PUBLISHED_BITS * (queries + keys);
    return { ...result, keyEvaluations };
  });
}

/** How many tables let a query find so many keys in the mean, and the products that it took to tell. */
export function tablesOf(
  { keys, features, scale }: Pick<Problem, "keys" | "features" | "scale">,
  { at, query, key }: Head,
  { space, ...shape }: Omit<TableShape, "tables"> & { readonly space: Space },
  found: number,
  seed: number,
): { readonly tables: number; readonly products: number } {
  const geometry: Geometry = geometryOf(query, key, features, space, scale);
  const { cosines, products } = someCosines(geometry, new RandomStream(seed, Purpose.probes, at));
  return { tables: cosines.tablesFor(shape, found / keys, MOST_TABLES), products };
}

/** What is published of the options. */
export interface MagicPigOptions extends TableShape, FoundOptions {
  readonly space: Space;
}

/** Output, log-sum-exp and evaluations of one head with tables given in advance; hashing is not counted. */
export async function attendHashed(
  backend: Backend,
  problem: Pick<Problem, "features" | "valueFeatures" | "scale">,
  head: Head,
  { space, bits, tables, collisions, ...options }: MagicPigOptions,
  seed: number,
  { signal }: Progress = {},
): Promise<CostedHead> {
  const { query, key } = head, shape = { bits, tables, collisions };
  const geometry = geometryOf(query, key, problem.features, space, problem.scale);
  const hashed = await hashHead(backend, geometry, bits * tables, seed, head.at, signal);
  const own = new Tables(hashed, shape);
  return await attendFound(problem, head, geometry, own, shape, options, seed, signal);
}
