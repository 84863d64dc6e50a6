import { defaultProjections, drawHyperplanes } from "../../estimators/methods/shared/hash_draws.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import { sortByHash } from "../../estimators/methods/shared/sort_by_hash.ts";
import type { Backend } from "../../kernels/backend.ts";
import { blockOf } from "../../kernels/partition.ts";
import { familySource, holdsOn, ownCase, refutedOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { inputFamily } from "../inputs/families.ts";
import { Oracle } from "../measures/oracle.ts";
import { squaredFrobenius } from "./sampled_product.ts";
import { checkKeys, DELTA } from "./settings.ts";

const BLOCKS = 8, LEAST_PER_BLOCK = 16;

/** The blocks that queries and keys of one head fall into when both are sorted by an angular hash. */
export async function hashBlocks(
  backend: Backend,
  problem: Problem,
  seed: number,
  blocks: number,
): Promise<{ query: Uint32Array; key: Uint32Array; queryOrder: Uint32Array; keyOrder: Uint32Array }> {
  const { queries, keys, features } = problem;
  const projections = defaultProjections(keys, keys / blocks);
  const hyperplanes = backend.upload(drawHyperplanes(seed, { first: 0, count: 1 }, projections, features));
  const hash = { hyperplanes, heads: 1, width: features, projections };
  const byQuery = sortByHash(backend, { ...hash, rows: backend.upload(problem.query), count: queries });
  const byKey = sortByHash(backend, { ...hash, rows: backend.upload(problem.key), count: keys });
  const [queryPosition, keyPosition, queryOrder, keyOrder] = await backend.run([
    byQuery.position,
    byKey.position,
    byQuery.order,
    byKey.order,
  ]) as Uint32Array[];
  return {
    query: queryPosition.map((position) => blockOf(position, queries, blocks)),
    key: keyPosition.map((position) => blockOf(position, keys, blocks)),
    queryOrder,
    keyOrder,
  };
}

/** Families that know the hyperplanes of seed 0, which is then the seed. */
const ATTACKED: readonly string[] = ["seed-aware", "near-hyperplane"];
const misaligned = "queries and keys that attend to each other fall into different blocks";

/** What the blocks are for. */
export const blockRemoval: Claim = {
  name: "block-removal",
  statement:
    `The ${BLOCKS} blocks of an angular hash hold at least twice the squared Frobenius mass of P that as many random pairs hold`,
  formula: "‖P − S‖_F² <= (1 − 2/blocks) ‖P‖_F², S = P on pairs inside a block",
  source: "docs/theory.md §4; Zandieh, Han, Daliri and Karbasi 2023, Algorithm 3",
  assumptions: "queries near in angle to the keys that they attend to; hyperplanes drawn after the inputs",
  measurement: "‖P − S‖_F² / ‖P‖_F²",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: 1 - 2 / BLOCKS,
  cases: [
    ...holdsOn("clustered", "permutation-softmax"),
    ownCase(familySource(inputFamily("seed-aware"), {}, "seed-aware-fresh-seed")),
    refutedOn("seed-aware", `hyperplanes of seed 0, which the inputs know: ${misaligned}`),
    refutedOn("near-hyperplane", "hyperplanes of seed 0, which the inputs know: every sign is a coin flip"),
    refutedOn("hidden-directions", `long noise of the keys alone decides the signs: ${misaligned}`),
    refutedOn("uniform-softmax", "all pairs weigh the same, so blocks hold what random pairs hold"),
    refutedOn("sink-key", "one key holds nine tenths of the mass of every query, and is in one block"),
  ],
  anySource: false,
  n: 256,
  runs: 80,
  async run({ input, seed, family, on }) {
    const oracle = new Oracle(await input({ valueFeatures: 1 })), { softmax, problem } = oracle;
    const { keys } = problem, hashSeed = ATTACKED.includes(family) ? 0 : seed;
    checkKeys(keys, LEAST_PER_BLOCK * BLOCKS, `each of the ${BLOCKS} blocks needs ${LEAST_PER_BLOCK}`);
    const { query, key } = await on((backend) => hashBlocks(backend, problem, hashSeed, BLOCKS));
    const residual = softmax.map((p, at) => query[Math.floor(at / keys)] === key[at % keys] ? 0 : p);
    return { measured: squaredFrobenius(residual) / squaredFrobenius(softmax) };
  },
};
