import type { Backend, DeviceArray } from "../../../kernels/backend.ts";
import type { RowTree } from "../../../kernels/tree_primitives.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";
import { cholesky } from "../../linear_algebra/cholesky.ts";
import type { CostedAttention } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import { heldOutRows, placeExactRows, type ProbedHeads, probeHeads } from "../shared/probed_heads.ts";
import { type CanonicalDirections, canonicalDirections } from "./canonical_directions.ts";
import { clusterQueries, layOutLists, type QueryClusters } from "./query_clusters.ts";
import { moveCentres, spreadAbout, spreadCentres } from "./spread_centres.ts";
import type { TreePlan } from "./tree_plan.ts";

/** Steps that move centres to the means of what is nearest to them. */
const STEPS = 3;
/** Share of the mean size of a cluster that each counts for at least when the lengths of lists are decided. */
const LEAST_SIZE = 0.25;

/** A run of heads by a tree of their keys. */
export async function tiltHeads(
  backend: Backend,
  problem: Problem,
  plan: TreePlan,
  seed: number,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const counts = { uniform: 0, outlying: 0, heldOut: plan.heldOut };
  const probed = probeHeads(backend, problem, counts, seed, run), { shape, queries } = probed;
  const { heads, keys, features, valueFeatures, scale, key, value } = shape;
  const { clusters: centres, directions: width } = plan;
  const maps = Array.from({ length: heads }, (_, at) =>
    canonicalDirections(
      ofHead(problem.query, run.first + at, problem.heads),
      ofHead(problem.key, run.first + at, problem.heads),
      features,
      width,
    ));
  const { clusters, keyMaps } = await findClusters(backend, problem, plan, probed, run, maps, signal);

  const tree = backend.growTree({
    rows: backend.innerProducts({
      rows: key,
      directions: backend.upload(keyMaps),
      heads,
      count: keys,
      width: features,
      projections: width,
    }),
    heads,
    count: keys,
    width,
  });
  const inOrder = (rows: DeviceArray, width: number) =>
    backend.gatherRows({ rows, index: tree.order, heads, count: keys, width, picks: keys });
  const ordered = { key: inOrder(key, features), value: inOrder(value, valueFeatures) };
  const centre = backend.upload(clusters.means.map((x) => x * scale));
  const logits = backend.innerProducts({
    rows: centre,
    directions: ordered.key,
    heads,
    count: centres,
    width: features,
    projections: keys,
  });
  const sizes = { heads, centres, count: keys, width };
  const tilted = backend.tiltKeys({ logits, tree, ...sizes });
  // Few queries shall not have lists without end, which take memory.
  const least = Math.ceil(LEAST_SIZE * queries / centres);
  const { threshold, lengths } = backend.openLists({
    gains: tilted.gains,
    sizes: backend.upload(clusters.sizes.map((size) => Math.max(size, least))),
    heads,
    centres,
    count: keys,
    budget: Math.min(2 ** 32 - 1, Math.floor(plan.entries * queries)),
  });
  const [found] = await backend.run([lengths], signal) as [Uint32Array];
  const lists = layOutLists(clusters, found, heads), { most, blocks, mostQueries, mostKeys } = lists;
  const sums = backend.sumLists({
    ...ordered,
    tree,
    tilted,
    threshold,
    first: backend.upload(lists.first),
    centre,
    ...sizes,
    features,
    valueFeatures,
    most,
  });
  const attended = backend.attend({
    ...shape,
    queries,
    query: probed.query,
    keys: most,
    key: sums.key,
    value: sums.value,
    logWeights: sums.logWeight,
    queryOrder: backend.upload(clusters.order),
    blocks,
    bounds: { positions: backend.upload(lists.positions), mostQueries, mostKeys },
  });
  const outputs = [attended.output, attended.logSumExp, probed.exact.output, probed.exact.logSumExp];
  const read = await backend.run([...outputs, probed.valueMean], signal) as Float32Array[];
  const [output, logSumExp, exactOutput, exactSums, meanValue] = read;
  const heldOut = heldOutRows(probed, plan.heldOut, { output, logSumExp }, meanValue);
  placeExactRows(probed, { output, logSumExp }, { output: exactOutput, logSumExp: exactSums });
  const attendedTo = found.reduce((sum, length, at) => sum + length * clusters.sizes[at], 0);
  return { output, logSumExp, keyEvaluations: Math.round(heads * plan.preparation + attendedTo), heldOut };
}

/** Clusters of the queries, and maps of keys under which their distances are what logits within clusters differ by. */
async function findClusters(
  backend: Backend,
  problem: Problem,
  { clusters: centres, directions: width, sampled }: TreePlan,
  { query, queries, shape: { heads, features, scale } }: ProbedHeads,
  run: HeadRun,
  maps: readonly CanonicalDirections[],
  signal?: AbortSignal,
): Promise<{ clusters: QueryClusters; keyMaps: Float32Array }> {
  const queryMaps = new Float32Array(heads * width * features);
  maps.forEach((map, head) => queryMaps.set(map.query.map((x) => x * scale), head * width * features));
  const images = backend.innerProducts({
    rows: query,
    directions: backend.upload(queryMaps),
    heads,
    count: queries,
    width: features,
    projections: width,
  });
  const sample = backend.gatherRows({
    rows: images,
    index: backend.upload(
      Uint32Array.from(
        { length: heads * sampled },
        (_, at) => Math.floor((at % sampled + 0.5) * queries / sampled),
      ),
    ),
    heads,
    count: queries,
    width,
    picks: sampled,
  });
  const tree: RowTree = backend.growTree({ rows: sample, heads, count: sampled, width });
  const [rows, cuts] = await backend.run([tree.rows, tree.cuts], signal) as [Float32Array, Uint32Array];
  const own = maps.map((_, head) =>
    spreadCentres(ofHead(rows, head, heads), ofHead(cuts, head, heads), width, centres)
  );
  const nearest = async (rows: DeviceArray, count: number) => {
    const centre = new Float32Array(heads * centres * width);
    own.forEach((ofHead, head) => centre.set(ofHead, head * centres * width));
    const labels = backend.nearestCentres({
      rows,
      centre: backend.upload(centre),
      heads,
      count,
      width,
      centres,
    });
    return (await backend.run([labels], signal))[0] as Uint32Array;
  };
  let labels = await nearest(tree.rows, sampled);
  for (let step = 0; step < STEPS; step++) {
    own.forEach((ofOne, head) =>
      moveCentres(ofOne, ofHead(rows, head, heads), ofHead(labels, head, heads), width)
    );
    labels = await nearest(tree.rows, sampled);
  }
  const keyMaps = new Float32Array(heads * width * features);
  maps.forEach((map, head) => {
    const spread = spreadAbout(own[head], ofHead(rows, head, heads), ofHead(labels, head, heads), width);
    keyMaps.set(mapBySpread(map, cholesky(spread, width), features), head * width * features);
  });
  const queryRows = problem.query.subarray(
    run.first * queries * features,
    (run.first + heads) * queries * features,
  );
  return { clusters: clusterQueries(queryRows, await nearest(images, queries), heads, centres), keyMaps };
}

/** The map k -> Rᵀ x(k), where the spread of queries about their centres is R Rᵀ and x the map of keys. */
function mapBySpread(
  { key, directions }: CanonicalDirections,
  root: Float64Array,
  features: number,
): Float64Array {
  const map = new Float64Array(directions * features);
  for (let i = 0; i < directions; i++) {
    for (let j = i; j < directions; j++) {
      for (let t = 0; t < features; t++) {
        map[i * features + t] += root[j * directions + i] * key[j * features + t];
      }
    }
  }
  return map;
}
