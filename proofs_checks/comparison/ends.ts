import { attention } from "../../estimators/attention/attention.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { ofHead } from "../../estimators/core/of_head.ts";
import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { type Device, runJob } from "../../kernels/device.ts";
import { type Tensor, tensor } from "../../kernels/tensor.ts";
import type { NamedInput } from "../inputs/family.ts";
import { softmaxOperatorNorm } from "../measures/softmax_norm.ts";
import { relativeOutputError } from "../measures/spectral.ts";

/**
 * What the mean of the values that a query sees errs, ‖A − Att‖/‖Att‖, the largest over the heads: attention of queries that are all 0.
 *
 * @param exact The exact output, [..., n_q, d_v].
 */
export async function meanValueError(
  { query, key, value, scale }: NamedInput,
  causal: boolean | undefined,
  device: Device,
  exact: Tensor,
): Promise<number> {
  const nothing = tensor(new Float32Array(query.data.length), query.shape);
  const { output } = await attention(nothing, key, value, { method: "exact", causal, scale, device });
  return Math.max(...relativeOutputError(output, exact));
}

/**
 * ‖Att‖/(‖P‖·‖V‖) of each query head: an error relative to the first is so many times as large relative to the second.
 *
 * @returns Undefined in causal order, where ‖P‖ is not measured.
 */
export async function productShares(
  { query, key, value, scale }: NamedInput,
  causal: boolean | undefined,
  device: Device,
  exact: Tensor,
): Promise<number[] | undefined> {
  if (causal) return undefined;
  const problem = makeProblem(query, key, value, { scale });
  const { heads, queries, period, keys, features, valueFeatures } = problem, group = queries / period;
  const shares: number[] = [];
  for (let head = 0; head < heads; head++) {
    const own = { key: ofHead(problem.key, head, heads), value: ofHead(problem.value, head, heads) };
    const valueNorm = operatorNorm(own.value, keys, valueFeatures);
    for (let at = head * group; at < (head + 1) * group; at++) {
      const rows = problem.query.subarray(at * period * features, (at + 1) * period * features);
      const one = { ...problem, ...own, heads: 1, queries: period, query: rows };
      const [softmaxNorm] = await runJob(device, (backend) => softmaxOperatorNorm(backend, one));
      const size = period * valueFeatures, output = exact.data.subarray(at * size, (at + 1) * size);
      const product = softmaxNorm * valueNorm;
      shares.push(product > 0 ? operatorNorm(output, period, valueFeatures) / product : 0);
    }
  }
  return shares;
}
