import type { Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import type { Bisection } from "../../../kernels/coreset_primitives.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { uploadHeads } from "../../core/exact.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { bringInRange } from "../../core/in_range.ts";
import type { Problem } from "../../core/problem.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../method.ts";
import { runHeads } from "../run_heads.ts";
import { sampledMean } from "../shared/sampled_mean.ts";

/** Keys of a leaf, about, in units of the budget of a query. */
const LEAF_SHARE = 0.75;
/** Leaves that the tree may have at most, in units of those wanted: where cuts cost little it may as well grow on. */
const MOST_LEAVES = 2;
/** Columns of the sketches that the tree sees in place of the rows, where that costs less: clusters lie apart in them too. */
const SKETCH = 12;
/** Products that a row takes to its leaf beside one at each level. */
const SPARE_PRODUCTS = 3;
/** Of the budget, the part that all rows together may take to their leaves. */
const TREE_SHARE = 0.5;
/** The tree grows on a sample of the keys: on so many for each leaf that is wanted, and no fewer than so many in all. */
const GROWN_PER_LEAF = 3, LEAST_GROWN = 512;
/** Queries of a leaf that attend side by side: many on GPUs; few where an invocation or a register tile takes as many. */
const BLOCK_QUERIES = 32, FEW_QUERIES = 8;
/** Rows of a head from which the spread of its queries and keys is measured, about. */
const SPREAD_SAMPLE = 64;

/**
 * Routed attention: each query sees the keys of its own cluster and no others. The keys are clustered by bisection, the
 * queries, brought to the centre and spread of the keys, descend the same tree, and attend exactly to the keys of their
 * leaf. Where queries look to clusters of keys that lie apart it errs less than what hashes or samples, at a fraction of
 * the keys; where they look at all keys alike, or to a few that all share, it has no part of the rest, and errs much. The
 * Routing Transformer (Roy, Saffar, Vaswani and Grangier, "Efficient Content-Based Sparse Attention with Routing
 * Transformers", TACL 2021) learns k-means clusters in place of the tree.
 *
 * Nothing in it is random but the signs of the sketches, which are always the same. Where the budget covers all keys
 * the result is exact.
 *
 * @throws {RangeError} If the problem hides keys, or a head does not fit the device.
 */
export const routed: Method = {
  summary: "each query sees its own cluster of keys alone: the least cost where clusters lie apart",
  source: "Roy, Saffar, Vaswani and Grangier 2021; docs/theory.md, section 6",
  random: false,
  withinBudget: true,
  usualError: 4,
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys } = problem;
  const inRange = bringInRange(problem), plan = makePlan(problem, perQuery(budget));
  return await runHeads("routed", backend, problem, budget, progress, async ({ first, count }) => {
    const { attended, tree, positions } = record(backend, inRange, plan, first, count);
    const outputs = [attended.output, attended.logSumExp, tree.products, positions];
    const [output, logSumExp, products, bounds] = await backend.run(outputs, progress.signal);
    let keyEvaluations = count * plan.sketchCost * (queries + keys);
    for (let at = 0; at < bounds.length; at += 4) {
      keyEvaluations += (bounds[at + 1] - bounds[at]) * (bounds[at + 3] - bounds[at + 2]);
    }
    // A query takes as many products to its leaf as a key.
    for (const cost of products) keyEvaluations += Math.ceil(cost * plan.productCost * (1 + queries / keys));
    return { output: output as Float32Array, logSumExp: logSumExp as Float32Array, keyEvaluations };
  });
}

interface Plan {
  /** Columns of the rows that the tree sees. */
  readonly width: number;
  /** What a product of such rows takes, and the sketch of a row, in key evaluations. */
  readonly productCost: number;
  readonly sketchCost: number;
  /** Products that the tree may take. */
  readonly budget: number;
  /** Of these, what is kept back for each leaf, so that no more than twice as many as wanted find room. */
  readonly perCluster: number;
  /** Keys that the tree grows on. */
  readonly grownOn: number;
  /** Keys of a leaf that a query sees at most. */
  readonly most: number;
}

function makePlan({ queries, keys, features }: Problem, keysPerQuery: number): Plan {
  const wanted = Math.ceil(keys / (LEAF_SHARE * keysPerQuery)), rowsPerQuery = 1 + keys / queries;
  // In products of whole rows, of which the sketch of a row costs one.
  const share = TREE_SHARE * keysPerQuery / rowsPerQuery, enough = Math.log2(wanted) + SPARE_PRODUCTS;
  const affordable = Math.min(share, enough), isSketched = (affordable - 1) * features / SKETCH > affordable;
  const width = isSketched ? SKETCH : features, sketchCost = isSketched ? 1 : 0;
  const productCost = width / features;
  const products = Math.min((share - sketchCost) / productCost, enough);
  const budget = Math.min(2 ** 32 - 1, Math.floor(products * keys));
  const treeCost = rowsPerQuery * (sketchCost + productCost * products);
  return {
    width,
    productCost,
    sketchCost,
    budget,
    perCluster: Math.max(1, Math.ceil(budget / (MOST_LEAVES * wanted))),
    grownOn: Math.max(LEAST_GROWN, GROWN_PER_LEAF * wanted),
    most: Math.max(1, Math.floor(keysPerQuery - treeCost)),
  };
}

/** Records the whole pipeline for `heads` heads from `firstHead` on. */
function record(
  backend: Backend,
  problem: Problem,
  { width, budget, perCluster, grownOn, most }: Plan,
  firstHead: number,
  heads: number,
): { attended: PartialAttention; tree: Bisection; positions: DeviceArray } {
  const { queries, keys, features, valueFeatures, scale } = problem;
  const { query, key, value } = uploadHeads(backend, problem, firstHead, heads);
  const signs = width < features ? backend.upload(sketchSigns(features, width)) : undefined;
  const seen = (rows: DeviceArray, count: number) =>
    signs ? backend.sketchRows({ rows, signs, heads, count, width: features, folded: width }) : rows;
  const seenQuery = seen(query, queries), seenKey = seen(key, keys);
  const centreOf = (rows: DeviceArray, count: number) => sampledMean(backend, { rows, heads, count, width });
  const tree = backend.bisectRows({
    rows: seenKey,
    weights: backend.upload(new Float32Array(heads * keys).fill(1)),
    heads,
    count: keys,
    width,
    grownOn,
    budget,
    perCluster,
    others: {
      rows: seenQuery,
      count: queries,
      centre: centreOf(seenQuery, queries),
      scale: backend.upload(spreadRatios(problem, firstHead, heads)),
      treeCentre: centreOf(seenKey, keys),
    },
  });
  const buckets = Math.max(1, Math.min(keys, Math.floor(budget / perCluster)));
  const queryOrder = backend.sortByBucket({ ranks: tree.others, heads, count: queries, buckets }).order;
  const keyOrder = backend.sortByBucket({ ranks: tree.labels, heads, count: keys, buckets }).order;
  const limits = { mostQueries: backend.software ? FEW_QUERIES : BLOCK_QUERIES, mostKeys: most };
  const shape = { heads, queries, keys, queryOrder, keyOrder };
  const paired = { queryRanks: tree.others, keyRanks: tree.labels, buckets };
  const positions = backend.pairBuckets({ ...shape, ...paired, ...limits });
  const attended = backend.attend({
    ...shape,
    features,
    valueFeatures,
    scale,
    query,
    key,
    value,
    blocks: positions.length / heads / 4,
    bounds: { positions, ...limits },
  });
  return { attended, tree, positions };
}

/** The sign of each column of a row in its sketch. */
function sketchSigns(features: number, width: number): Float32Array {
  const random = new RandomStream(0, Purpose.sketch);
  return Float32Array.from(
    { length: width * Math.ceil(features / width) },
    () => random.word() & 1 ? 1 : -1,
  );
}

/** By how much queries must be stretched to lie about their centre as widely as keys, for each head. */
function spreadRatios(problem: Problem, firstHead: number, heads: number): Float32Array {
  const { query, key, queries, keys, features } = problem;
  return Float32Array.from({ length: heads }, (_, at) => {
    const head = firstHead + at;
    const ratio = spread(key, head * keys, keys, features) / spread(query, head * queries, queries, features);
    return ratio > 0 && ratio < 2 ** 64 ? ratio : 1;
  });
}

/** √Σ‖x − mean‖² over some rows of `width`, from the first of `count` on. */
function spread(rows: Float32Array, first: number, count: number, width: number): number {
  const picks = scatteredPlaces(count, SPREAD_SAMPLE), taken = picks.length;
  let total = 0;
  for (let c = 0; c < width; c++) {
    let sum = 0, square = 0;
    const shift = rows[first * width + c];
    for (const row of picks) {
      const x = rows[(first + row) * width + c] - shift;
      sum += x;
      square += x * x;
    }
    total += square - sum * sum / taken;
  }
  return Math.sqrt(Math.max(0, total) / taken);
}
