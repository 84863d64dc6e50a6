import { type DensityMethod, densityMethods } from "../../estimators/kde/methods.ts";
import { holdsOn, noInput, ownCase } from "../engine/cases.ts";
import type { Claim, LargeSetting, Run, RunContext } from "../engine/claim.ts";
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

/** What a run asks of an estimator, if not the usual. */
interface Asked {
  readonly floor: number;
  readonly queries: number;
  /** Whether points on the query never come first. */
  readonly scattered: boolean;
}

const USUAL: Asked = { floor: FLOOR, queries: QUERIES, scattered: false };
/** A floor so low that hash functions pay, and queries for which tables do: else there are none, or all points are looked at. */
const HASHED: Asked = { floor: 0.02, queries: 128, scattered: true };

/** The error of one query, chosen in advance. */
async function measure(
  { implementation, input, seed, on, run, delta, family, n }: RunContext,
  method: DensityMethod,
  { floor, queries: asked, scattered }: Asked,
): Promise<Run> {
  const size = { n, queries: asked, features: FEATURES };
  const { points, queries, features, density } = family === SHARE
    ? shareOnQuery({ ...size, seed, least: floor, most: 1.2 * floor, scattered })
    : densityInput(await input({ ...size, valueFeatures: 1 }), 2 * floor);
  const target = { epsilon: EPSILON, delta, densityFloor: floor, seed };
  const { logDensity, kernelEvaluations } = await on((backend) =>
    implementation.densityFit(method)(backend, points, features, target).logDensity(queries)
  );
  const query = run % asked, estimate = Math.exp(logDensity[query]);
  const evaluationShare = kernelEvaluations * features / (asked * points.length);
  return {
    measured: Math.abs(estimate - density[query]) / Math.max(density[query], floor),
    ...(method !== "exact" && { telling: evaluationShare < 1 }),
    plot: { evaluationShare },
  };
}

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
  run: (context) => measure(context, method, USUAL),
}));

/** The same where points are found by hashes: what is near then decides what is seen. */
export const densityErrorHashed: Claim = {
  ...densityErrors[densityMethods.indexOf("hashing-based")],
  name: "density-error-hashed",
  statement:
    "The hashing-based estimator gives kernel densities within a factor 1 ± ε with probability 1 − δ each where it hashes",
  assumptions:
    `ε = ${EPSILON}, floor ${HASHED.floor}, ${HASHED.queries} queries: at larger floors its tables have no hash functions, and for few queries none pay`,
  // At smaller δ it takes too many points and queries.
  ownDelta: true,
  cases: [ownCase(noInput(SHARE))],
  n: 2048,
  standard: undefined,
  thorough: undefined,
  run: (context) => measure(context, "hashing-based", HASHED),
};
