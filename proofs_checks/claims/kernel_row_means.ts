import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { densityRows } from "../../estimators/robust/density_rows.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

const SAMPLES = 96;

/**
 * Bernstein's inequality for each of the n means of m − 1 or m kernel values in [0, 1], of the variance that the row has: with x = ln(2n/δ) none is off by
 * more than x/(3(m − 1)) + √((x/(3(m − 1)))² + 2σ²x/(m − 1)) with probability 1 − δ; drawing without replacement is no worse (Hoeffding 1963, theorem 4).
 */
export const kernelRowMeansClaim: Claim = {
  name: "kernel-row-means",
  statement:
    "Row means of a kernel matrix, which decide robust weights, are right at every key at once with probability 1 − δ when few keys stand for all",
  formula: "P[∃j: |r~_j − r_j| > η_j] <= δ, r = K1/n",
  source: "Bernstein's inequality for draws without replacement; docs/theory.md §10",
  assumptions: `the joint density of keys and values; ${SAMPLES} keys stand for all`,
  measurement: "largest |r~_j − r_j| / η_j, with r_j and the variances in η_j in float64",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1,
  cases: holdsOn("clustered", "gaussian", "heavy-tailed", "duplicated-keys"),
  anySource: true,
  n: 384,
  runs: 60,
  async run({ implementation, input, seed, on, delta }) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const problem = makeProblem(query, key, value, { scale }), n = problem.keys;
    checkKeys(n, 2 * SAMPLES, `${SAMPLES} of them are to be few`);
    const rows = densityRows(problem, "joint", "median", seed);
    const { means } = await on((backend) =>
      implementation.kernelRowMeans(backend, rows, { samples: SAMPLES, seed })
    );
    const { exact, radius } = exactMeans(rows.data, n, Math.log(2 * n / delta));
    const ratios = exact.map((own, j) => Math.abs(means[j] - own) / radius[j]);
    return { measured: ratios.reduce((a, b) => b <= a ? a : b, 0) };
  },
};

/** Row means of the kernel matrix in float64, and by how much sampled ones may be off. */
function exactMeans(rows: Float32Array, n: number, x: number): { exact: Float64Array; radius: Float64Array } {
  const width = rows.length / n,
    exact = new Float64Array(n),
    radius = new Float64Array(n),
    draws = SAMPLES - 1;
  for (let j = 0; j < n; j++) {
    let sum = 0, squares = 0;
    for (let i = 0; i < n; i++) {
      if (i === j) continue;
      let squared = 0;
      for (let t = 0; t < width; t++) squared += (rows[i * width + t] - rows[j * width + t]) ** 2;
      const kernel = Math.exp(-squared / 2);
      sum += kernel;
      squares += kernel * kernel;
    }
    const others = sum / (n - 1), variance = Math.max(0, squares / (n - 1) - others ** 2);
    const linear = x / (3 * draws);
    exact[j] = (1 + sum) / n;
    radius[j] = (1 - 1 / n) * (linear + Math.sqrt(linear ** 2 + 2 * variance * x / draws));
  }
  return { exact, radius };
}
