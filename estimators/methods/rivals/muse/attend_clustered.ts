import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Problem } from "../../../core/problem.ts";
import type { CostedHead, Head } from "../shared/each_head.ts";
import { kMeans } from "../shared/k_means.ts";
import { attendDipoles } from "./attend_dipoles.ts";
import { attendTilted } from "./attend_tilted.ts";
import { clustering, countMuse, type MusePlan } from "./muse_plan.ts";
import { tiltClusters } from "./tilted_clusters.ts";

/** Attention of one head by clusters of queries and of keys, as a plan says. */
export async function attendClustered(
  backend: Backend,
  { at, query, key, value }: Head,
  problem: Problem,
  plan: MusePlan,
  seed: number,
  signal?: AbortSignal,
): Promise<CostedHead> {
  const { queries, keys, features } = problem;
  const cluster = async (data: Float32Array, count: number, of: "queryClusters" | "keyClusters") => {
    const random = new RandomStream(seed, Purpose.choice, 2 * at + (of === "keyClusters" ? 1 : 0));
    return await kMeans(backend, { data, count }, features, clustering(plan, of), random, signal);
  };
  const ofQueries = await cluster(query, queries, "queryClusters");
  const ofKeys = await cluster(key, keys, "keyClusters"), rows = { ...problem, key, value };
  const tilted = await tiltClusters(backend, rows, ofQueries.means, ofKeys, signal);
  const attended = plan.dipole
    ? await attendDipoles(backend, query, ofQueries, rows, ofKeys, tilted, signal)
    : await attendTilted(backend, query, ofQueries, rows, tilted, signal);
  return { ...attended, keyEvaluations: countMuse(problem, plan) };
}
