import { type Backend, MASKED } from "../../kernels/backend.ts";
import { exactAttention } from "../core/exact.ts";
import { logSumExp, squaredNorms } from "./log_domain.ts";

/** Error of a log density that f32 may cause before float64 takes over. */
const TOLERANCE = 1e-3;

/**
 * ln of the mean Gaussian kernel of each query over all points: −‖x − y‖²/2 = <x, y> − ‖x‖²/2 − ‖y‖²/2, so it is
 * the log-sum-exp of attention with −‖x‖²/2 added to the logits. Inner products of size s carry errors of
 * about 2^-24 s there; rows so far out that this could be felt are computed in float64 on the host.
 *
 * @param points [count, features], centred
 * @param queries [queries, features], moved along with them
 * @returns [queries]
 */
export async function logKernelMeans(
  backend: Backend,
  points: Float32Array,
  queries: Float32Array,
  features: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const count = points.length / features, rows = queries.length / features;
  const pointNorms = squaredNorms(points, features), queryNorms = squaredNorms(queries, features);
  const largest = Math.sqrt(pointNorms.reduce((a, b) => Math.max(a, b), 0));
  const { logSumExp: sums } = await exactAttention(backend, {
    query: queries,
    key: points,
    value: new Float32Array(count),
    heads: 1,
    queries: rows,
    keys: count,
    features,
    valueFeatures: 1,
    scale: 1,
    period: rows,
    logWeights: Float32Array.from(pointNorms, (norm) => Math.max(-norm / 2, MASKED / 2)),
    largestKey: largest,
    largestValue: 0,
    outputShape: [rows, 1],
  }, { signal });
  return Float64Array.from(queryNorms, (norm, row) => {
    if ((largest + Math.sqrt(norm)) ** 2 * 2 ** -24 <= TOLERANCE) {
      return sums[row] - norm / 2 - Math.log(count);
    }
    return logKernelMeanInDoubles(points, queries, features, row);
  });
}

/** The same for one query, by differences, in float64. */
function logKernelMeanInDoubles(
  points: Float32Array,
  queries: Float32Array,
  features: number,
  row: number,
): number {
  const logarithms = new Float64Array(points.length / features);
  for (let at = 0; at < points.length; at++) {
    logarithms[Math.floor(at / features)] -= (points[at] - queries[row * features + at % features]) ** 2 / 2;
  }
  return logSumExp(logarithms) - Math.log(logarithms.length);
}
