import { type DensityMethod, densityMethods } from "../../estimators/kde/methods.ts";
import { holdsOn, noInput, ownCase } from "../engine/cases.ts";
import type { Claim, LargeSetting } from "../engine/claim.ts";
import { densityInput, shareOnQuery } from "./density_inputs.ts";
import { DELTA, linearSize } from "./settings.ts";

const EPSILON = 0.4, FLOOR = 0.1, QUERIES = 4, FEATURES = 8;
/** Kernel values of 1 and 0: no other input makes a sample err as much. */
const SHARE = "share-on-query";

const FAMILIES = [
  "gaussian",
  "clustered",
  "heavy-tailed",
  "low-rank",
  "duplicated-keys",
  "cluster-imbalance",
];
/** At smaller δ estimators that find points by their place look at all of fewer. */
const STANDARD: Partial<Record<DensityMethod, LargeSetting>> = {
  "hashing-based": { n: 4096, families: [...FAMILIES, SHARE] },
  "multi-level": { n: 8192, families: [...FAMILIES, SHARE] },
  "nearest-neighbour": { n: 4096, families: [...FAMILIES, SHARE] },
};

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
  cases: [
    ...holdsOn(...FAMILIES),
    ownCase(noInput(SHARE)),
  ],
  anySource: false,
  // With fewer points the multi-level estimator looks at all of them.
  n: method === "hashing-based" || method === "nearest-neighbour" ? 1024 : 2048,
  runs: 60,
  standard: STANDARD[method] ?? { n: 4096, families: ["gaussian", SHARE] },
  thorough: { n: 65536, families: ["gaussian", SHARE] },
  size: linearSize,
  async run({ implementation, input, seed, on, run, delta, family, n }) {
    const size = { n, queries: QUERIES, features: FEATURES };
    const { points, queries, features, density } = family === SHARE
      ? shareOnQuery({ ...size, seed, least: FLOOR, most: 1.2 * FLOOR })
      : densityInput(await input({ ...size, valueFeatures: 1 }), 2 * FLOOR);
    const target = { epsilon: EPSILON, delta, densityFloor: FLOOR, seed };
    const { logDensity, kernelEvaluations } = await on((backend) =>
      implementation.densityFit(method)(backend, points, features, target).logDensity(queries)
    );
    const query = run % QUERIES, estimate = Math.exp(logDensity[query]);
    const measured = Math.abs(estimate - density[query]) / Math.max(density[query], FLOOR);
    const evaluationShare = kernelEvaluations * features / (QUERIES * points.length);
    return {
      measured,
      ...(method !== "exact" && { telling: evaluationShare < 1 }),
      plot: { evaluationShare },
    };
  },
}));
