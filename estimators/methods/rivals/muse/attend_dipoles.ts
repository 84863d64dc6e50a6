import type { Backend } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import { deviceProducts } from "../shared/device_products.ts";
import type { Clusters } from "../shared/k_means.ts";
import { softmax } from "../shared/softmax.ts";
import { logWeightsOf } from "./attend_tilted.ts";
import { dipolesOf, entriesOf, logitsAtCentres } from "./dipoles.ts";
import type { KeyRows, TiltedClusters } from "./tilted_clusters.ts";

/** Numbers of dipoles that are held at a time: 64 MB of them. */
const MOST_NUMBERS = 2 ** 24;

/**
 * {@link attendTilted} with values that depend on the query: a cluster answers c + δ with mean value + Dᵀδ, D its tilted covariance of
 * keys and values times the scale. The sum of the dipoles under the weights of a query comes first, its product with δ then.
 */
export async function attendDipoles(
  backend: Backend,
  query: Float32Array,
  ofQueries: Clusters,
  rows: KeyRows,
  ofKeys: Clusters,
  tilted: TiltedClusters,
  signal?: AbortSignal,
): Promise<HostAttention> {
  const { features, valueFeatures, scale } = rows, { order, sizes, means } = ofQueries;
  const queries = order.length, clusters = ofKeys.sizes.length, each = features * valueFeatures;
  const logits = await logitsAtCentres(backend, rows, means, signal);
  const logWeights = logWeightsOf(tilted, means, features, scale);
  const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
  const most = Math.max(1, Math.floor(MOST_NUMBERS / (clusters * each)));
  let before = 0;
  for (let first = 0; first < sizes.length; first += most) {
    const count = Math.min(most, sizes.length - first);
    const dipoles = await dipolesOf(backend, rows, ofKeys, { first, count, logits, tilted }, signal);
    for (let at = first; at < first + count; at++) {
      const members = order.subarray(before, before += sizes[at]), list = at * clusters;
      if (members.length === 0) continue;
      const own = { data: new Float32Array(members.length * features), count: members.length };
      members.forEach((row, i) =>
        own.data.set(query.subarray(row * features, (row + 1) * features), i * features)
      );
      const keys = {
        data: tilted.key.subarray(list * features, (list + clusters) * features),
        count: clusters,
      };
      const weights = { data: new Float32Array(members.length * clusters), count: members.length };
      for await (const { first, products } of deviceProducts(backend, own, keys, features, signal)) {
        for (let i = 0; i * clusters < products.length; i++) {
          const weight = weights.data.subarray((first + i) * clusters, (first + i + 1) * clusters);
          const logit = (s: number) => scale * products[i * clusters + s] + logWeights[list + s];
          logSumExp[members[first + i]] = softmax(logit, weight);
        }
      }
      const sums = new Float64Array(members.length * valueFeatures);
      for (let i = 0; i < members.length; i++) {
        for (let s = 0; s < clusters; s++) {
          const weight = weights.data[i * clusters + s], from = (list + s) * valueFeatures;
          for (let c = 0; c < valueFeatures; c++) {
            sums[i * valueFeatures + c] += weight * tilted.value[from + c];
          }
        }
      }
      // Few directions and many rows: the sums of dipoles come by their entries, each of all queries.
      const entries = { data: entriesOf(dipoles, at - first, count, clusters), count: each };
      for await (const { first, products } of deviceProducts(backend, entries, weights, clusters, signal)) {
        for (let entry = 0; entry * members.length < products.length; entry++) {
          const a = Math.floor((first + entry) / valueFeatures), c = (first + entry) % valueFeatures;
          const centre = means[at * features + a];
          for (let i = 0; i < members.length; i++) {
            const offset = own.data[i * features + a] - centre;
            sums[i * valueFeatures + c] += offset * products[entry * members.length + i];
          }
        }
      }
      members.forEach((row, i) =>
        output.set(sums.subarray(i * valueFeatures, (i + 1) * valueFeatures), row * valueFeatures)
      );
    }
  }
  return { output, logSumExp };
}
