import { type Backend, EMPTY } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import { medianRow, subtractRow } from "./centred_points.ts";

/**
 * ln Σ_j w_j e^<x_j, y> at each query y from the inner products themselves: about the middle a of the rows, as
 * ln Σ_j w_j e^<x_j − a, y> + <a, y>.
 *
 * @param rows [count, features]
 * @param logWeights [count]; −Infinity for a weight of 0
 * @param queries [queries, features]
 * @returns [queries]
 */
export async function logExponentialSums(
  backend: Backend,
  rows: Float32Array,
  features: number,
  logWeights: Float64Array,
  queries: Float32Array,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const count = logWeights.length, asked = queries.length / features;
  const centre = medianRow(rows, features), largest = logWeights.reduce((a, b) => Math.max(a, b), -Infinity);
  const { logSumExp } = await exactAttention(backend, {
    query: queries,
    key: subtractRow(rows, centre),
    value: new Float32Array(count),
    heads: 1,
    queries: asked,
    keys: count,
    features,
    valueFeatures: 1,
    scale: 1,
    period: asked,
    logWeights: Float32Array.from(logWeights, (log) => Math.max(log - largest, EMPTY)),
    largestKey: 0,
    largestValue: 0,
    outputShape: [asked, 1],
  }, { signal });
  return Float64Array.from(logSumExp, (log, query) => {
    let common = largest;
    for (let t = 0; t < features; t++) common += centre[t] * queries[query * features + t];
    return log + common;
  });
}
