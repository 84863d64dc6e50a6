import { type Backend, EMPTY } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import { layOutLists, type QueryClusters } from "../../tilted_tree/query_clusters.ts";
import type { KeyRows, TiltedClusters } from "./tilted_clusters.ts";

/**
 * Attention of each query to the clusters of keys as the centre c of its own cluster sees them: with the query c + δ a cluster
 * has the logit ln mass + scale · ⟨δ, mean key⟩, and answers with its mean value. Frees what the device holds.
 *
 * @param query [queries, features]
 */
export async function attendTilted(
  backend: Backend,
  query: Float32Array,
  { order, sizes, means }: QueryClusters,
  { features, valueFeatures, scale }: KeyRows,
  tilted: TiltedClusters,
  signal?: AbortSignal,
): Promise<HostAttention> {
  const each = tilted.logMass.length / sizes.length;
  const lists = layOutLists({ sizes }, new Uint32Array(sizes.length).fill(each), 1);
  const { output, logSumExp } = backend.attend({
    ...{ heads: 1, queries: query.length / features, keys: lists.most, features, valueFeatures, scale },
    query: backend.upload(query),
    key: backend.upload(tilted.key),
    value: backend.upload(tilted.value),
    logWeights: backend.upload(Float32Array.from(logWeightsOf(tilted, means, features, scale))),
    queryOrder: order && backend.upload(order),
    blocks: lists.blocks,
    bounds: {
      positions: backend.upload(lists.positions),
      mostQueries: lists.mostQueries,
      mostKeys: lists.mostKeys,
    },
  });
  const found = await backend.run([output, logSumExp], signal) as Float32Array[];
  backend.reset();
  return { output: found[0], logSumExp: found[1] };
}

/** What a query adds to its logit with a tilted key, [centres, clusters]: ln mass − scale · ⟨c, mean key⟩. */
export function logWeightsOf(
  { key, logMass }: Pick<TiltedClusters, "key" | "logMass">,
  centres: Float32Array,
  features: number,
  scale: number,
): Float64Array {
  const each = logMass.length * features / centres.length;
  return logMass.map((mass, at) => {
    if (mass === EMPTY) return EMPTY;
    const from = Math.floor(at / each) * features;
    let product = 0;
    for (let c = 0; c < features; c++) product += centres[from + c] * key[at * features + c];
    return mass - scale * product;
  });
}
