import type { Backend, DeviceArray, PartialAttention } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";
import type { CostedAttention } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import { heldOutRows, pickProbes, placeExactRows } from "../shared/probed_heads.ts";
import { attendToLists, type ListedHeads } from "./attend_lists.ts";
import { type CanonicalDirections, canonicalDirections } from "./canonical_directions.ts";
import {
  type CausalBlocks,
  diagonalKeys,
  endsOfBlocks,
  orderByBlocks,
  type SeenKeys,
  seenKeys,
} from "./causal_blocks.ts";
import type { CausalPlan } from "./causal_plan.ts";
import { attendProbesInParts } from "./causal_probes.ts";
import { findClusters } from "./find_clusters.ts";

/**
 * A run of heads in causal order, with or without a mask, by one tree of the keys of each head. The queries of a block of positions, of each
 * sequence by itself, are clusters, which see by the tree what comes before the block; the block itself is attended to exactly.
 *
 * @param known The directions of each head of the run, if they are.
 */
export async function tiltCausalHeads(
  backend: Backend,
  problem: Problem,
  plan: CausalPlan,
  seed: number,
  run: HeadRun,
  signal?: AbortSignal,
  known?: readonly CanonicalDirections[],
): Promise<CostedAttention> {
  const { features, valueFeatures, scale, queries, period, causalOffset } = problem,
    { heldOut: probes, cut } = plan;
  const heads = run.count, seen = seenKeys(problem, run), order = orderByBlocks(problem, cut);
  const ofRun = problem.query.subarray(
    run.first * queries * features,
    (run.first + heads) * queries * features,
  );
  const query = backend.upload(ofRun), key = backend.upload(seen.key), value = backend.upload(seen.value);
  const keyShape = { key, value, keys: seen.keys, features, valueFeatures };
  const picks = pickProbes(problem, { uniform: 0, outlying: 0, heldOut: probes }, seed, run);
  const ends = picks.map((row, at) => seen.before(Math.floor(at / probes), causalOffset! + row % period + 1));
  const exact = attendProbesInParts(backend, {
    ...keyShape,
    heads,
    probes,
    picks,
    ends,
    query,
    queries,
    scale,
  });
  const valueMean = backend.columnMean({ rows: value, heads, count: seen.keys, width: valueFeatures });

  const inOrder = (rows: DeviceArray, index: Uint32Array, count: number, width: number) =>
    backend.gatherRows({
      rows,
      index: repeat(backend, index, heads),
      heads,
      count,
      width,
      picks: index.length,
    });
  const places = order?.rows.length ?? queries;
  const placed = {
    ...keyShape,
    heads,
    query: order ? inOrder(query, order.rows, queries, features) : query,
    queries: places,
    scale,
  };
  const diagonals = attendDiagonals(backend, problem, placed, seen, cut, run);
  // The device computes these while the host looks for directions.
  const begun = backend.run([valueMean, ...exact.outputs], signal);
  const maps = known ?? Array.from({ length: heads }, (_, at) =>
    canonicalDirections(
      ofHead(ofRun, at, heads),
      ofHead(seen.key, at, heads).subarray(0, seen.counts[at] * features),
      features,
      plan.directions,
    ));
  const [meanValue, ...ofProbes] = await begun as Float32Array[];
  const listed: ListedHeads = { ...placed, maps, ends: endsOfClusters(problem, plan, seen) };
  const rowsOfParts = () => order ? rowsInOrder(ofRun, order.rows, heads, features) : ofRun;
  const parts = cut.blocks * queries / period;
  const clusters = await findClusters(backend, listed, parts, rowsOfParts, plan, signal);
  const ofRows = Array.from(
    { length: heads },
    (_, head) => ofHead(ends, head, heads).reduce((a, b) => a + b, 0),
  );
  // What rows at the front leave of what the plan holds back for them, and no more where blocks are filled up.
  const entries = (plan.entries * queries + plan.ofHeldOut - Math.max(...ofRows)) / places;
  const before = await attendToLists(backend, listed, clusters, entries, signal);
  const whole = backend.mergeAttention({
    first: before,
    second: diagonals,
    heads,
    queries: places,
    valueFeatures,
  });
  const outputs = order
    ? [
      inOrder(whole.output, order.places, places, valueFeatures),
      inOrder(whole.logSumExp, order.places, places, 1),
    ]
    : [whole.output, whole.logSumExp];
  const [output, logSumExp] = await backend.run(outputs, signal) as Float32Array[];
  // Rows that fill a head up are 0, and count in its mean.
  meanValue.forEach((x, at) => meanValue[at] = x * seen.keys / seen.counts[Math.floor(at / valueFeatures)]);
  const probed = { shape: { heads, valueFeatures }, queries, probes, picks };
  const heldOut = heldOutRows(probed, probes, { output, logSumExp }, meanValue);
  placeExactRows(probed, { output, logSumExp }, exact.merge(ofProbes));
  const prepared = heads * plan.preparation + ofRows.reduce((a, b) => a + b, 0);
  const keyEvaluations = Math.round(prepared + before.evaluations);
  return { output, logSumExp, keyEvaluations, heldOut };
}

/** Rows of the queries of each head: [heads, order, width]. */
function rowsInOrder(rows: Float32Array, order: Uint32Array, heads: number, width: number): Float32Array {
  const moved = new Float32Array(heads * order.length * width);
  for (let head = 0, to = 0; head < heads; head++) {
    const own = ofHead(rows, head, heads);
    for (const row of order) {
      moved.set(own.subarray(row * width, (row + 1) * width), to);
      to += width;
    }
  }
  return moved;
}

/** [heads, clusters]: keys before the diagonal of the block of each cluster. */
function endsOfClusters(problem: Problem, { cut, clusters }: CausalPlan, seen: SeenKeys): Uint32Array {
  const ends = endsOfBlocks(problem, cut, seen);
  return Uint32Array.from({ length: ends.length * clusters }, (_, at) => ends[Math.floor(at / clusters)]);
}

/** The same words for each head, on the device. */
function repeat(backend: Backend, words: Uint32Array, heads: number): DeviceArray {
  const all = new Uint32Array(heads * words.length);
  for (let head = 0; head < heads; head++) all.set(words, head * words.length);
  return backend.upload(all);
}

/** Records exact attention of the queries of each block to the keys of its diagonal, all blocks side by side. */
function attendDiagonals(
  backend: Backend,
  problem: Problem,
  { heads, query, queries, key, value, keys, features, valueFeatures, scale }: Omit<ListedHeads, "maps">,
  seen: SeenKeys,
  cut: CausalBlocks,
  { first }: HeadRun,
): PartialAttention {
  const { blocks, length } = cut, { index, logWeights } = diagonalKeys(problem, cut, seen, first);
  const picked = index && backend.upload(index);
  const ofBlocks = (rows: typeof key, width: number) =>
    picked
      ? backend.gatherRows({ rows, index: picked, heads, count: keys, width, picks: blocks * length })
      : rows;
  return backend.attend({
    heads: heads * blocks,
    queries: queries / blocks,
    keys: length,
    query,
    key: ofBlocks(key, features),
    value: ofBlocks(value, valueFeatures),
    features,
    valueFeatures,
    scale,
    logWeights: logWeights && backend.upload(logWeights),
    causal: { period: length, offset: 0 },
  });
}
