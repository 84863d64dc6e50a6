import { logSumExp } from "../../estimators/kde/log_domain.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { DELTA, linearSize } from "./settings.ts";

const QUERIES = 8;

/** Algorithm 2: a weighted exponential sum is a Gaussian kernel density in one more dimension. */
export const liftIdentity: Claim = {
  name: "lift-identity",
  statement:
    "A weighted sum of exponentials equals a known factor times one Gaussian kernel density of lifted points",
  formula: "Σ_j w_j e^⟨x_j,y⟩ = n M e^(‖y‖²/2) μ_X'(y'), M = max_j w_j e^(‖x_j‖²/2)",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 2; docs/theory.md §2",
  assumptions: "weights at least 0, one of them positive",
  measurement:
    "largest difference of the two logarithms over 8 queries, relative to 1 + the largest exponent, in float64; a tenth of the weights is 0",
  rule: { kind: "always", allowed: DELTA },
  // n roundings of 2^−53 in exponents, with room for those of squares.
  bound: 1e-12,
  cases: holdsOn(
    "gaussian",
    "heavy-tailed",
    "low-rank",
    "uniform-softmax",
    "duplicated-keys",
    "common-key-offset",
    "tiny-density",
    "huge-logits",
  ),
  anySource: true,
  n: 256,
  runs: 60,
  size: linearSize,
  async run({ implementation, input, seed }) {
    const { query, key, scale } = await input({ queries: QUERIES, valueFeatures: 1 });
    const features = key.shape[2], keys = key.shape[1], random = new RandomStream(seed, Purpose.data);
    const logWeights = Float64Array.from(
      { length: keys },
      (_, j) => j > 0 && random.uniform() < 0.1 ? -Infinity : 3 * random.normal(),
    );
    const rows = Float64Array.from(key.data),
      { points, kept, logLargest } = implementation.liftWeights(
        rows,
        features,
        logWeights,
      );
    let measured = 0;
    // A family may have a shape of its own.
    for (let i = 0; i < query.shape[1]; i++) {
      const y = Float64Array.from({ length: features }, (_, t) => scale * query.data[i * features + t]);
      const norm = y.reduce((sum, x) => sum + x * x, 0);
      const direct = Float64Array.from(logWeights, (log, j) => {
        for (let t = 0; t < features; t++) log += rows[j * features + t] * y[t];
        return log;
      });
      const lifted = Float64Array.from({ length: kept }, (_, j) => {
        let squared = points[j * (features + 1) + features] ** 2;
        for (let t = 0; t < features; t++) squared += (points[j * (features + 1) + t] - y[t]) ** 2;
        return -squared / 2;
      });
      const difference = logSumExp(direct) - (logSumExp(lifted) + logLargest + norm / 2);
      measured = Math.max(measured, Math.abs(difference) / (1 + Math.abs(logLargest) + norm));
    }
    return { measured };
  },
};
