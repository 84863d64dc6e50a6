import { type DensityMethod, densityMethods } from "../../estimators/kde/methods.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { densityInput } from "./density_inputs.ts";
import { DELTA, linearSize } from "./settings.ts";

const EPSILON = 0.4, FLOOR = 0.1, QUERIES = 4;

const SOURCES: Record<DensityMethod, string> = {
  "exact": "docs/theory.md §1",
  "uniform": "docs/theory.md §1, Chernoff's bound",
  "hashing-based": "Charikar and Siminelakis 2017; Backurs, Indyk and Wagner 2019; docs/theory.md §1.2",
  "multi-level": "Charikar, Kapralov, Nouri and Siminelakis 2020; docs/theory.md §1.3",
  "nearest-neighbour": "Karppa, Aumüller and Pagh 2022; docs/theory.md §1.4",
};

/** A kernel density within 1 ± ε, for each estimator. */
export const densityErrors: readonly Claim[] = densityMethods.map((method): Claim => ({
  name: `density-error-${method}`,
  statement:
    `The ${method} estimator gives kernel densities within a factor 1 ± ε with probability 1 − δ each`,
  formula: "P[|μ~(y) − μ(y)| > ε max(μ(y), floor)] <= δ",
  source: SOURCES[method],
  assumptions: `ε = ${EPSILON}, floor ${FLOOR}; median density twice the floor`,
  measurement: "|μ~ − μ| / max(μ, floor) of one query, chosen in advance among those of a batch",
  rule: { kind: "probability", allowed: DELTA },
  bound: EPSILON,
  cases: holdsOn("gaussian", "clustered", "heavy-tailed", "low-rank", "duplicated-keys", "cluster-imbalance"),
  anySource: false,
  n: method === "exact" || method === "uniform" ? 2048 : 1024,
  runs: 60,
  size: linearSize,
  async run({ implementation, input, seed, on, run, delta }) {
    const { points, queries, features, density } = densityInput(
      await input({ queries: QUERIES, features: 8, valueFeatures: 1 }),
      2 * FLOOR,
    );
    const target = { epsilon: EPSILON, delta, densityFloor: FLOOR, seed };
    const { logDensity, kernelEvaluations } = await on((backend) =>
      implementation.densityFit(method)(backend, points, features, target).logDensity(queries)
    );
    const query = run % QUERIES, estimate = Math.exp(logDensity[query]);
    const measured = Math.abs(estimate - density[query]) / Math.max(density[query], FLOOR);
    return { measured, plot: { evaluationShare: kernelEvaluations * features / (QUERIES * points.length) } };
  },
}));
