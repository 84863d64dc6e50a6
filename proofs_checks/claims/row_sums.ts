import { uniformDensity } from "../../estimators/kde/uniform.ts";
import { holdsOn, ownCase } from "../engine/cases.ts";
import type { KdeformerHead } from "../../estimators/methods/kdeformer/kdeformer.ts";
import type { Claim, InputSource, RunContext } from "../engine/claim.ts";
import { fourPlaces } from "../inputs/four_places.ts";
import { DELTA, linearSize } from "./settings.ts";
import { Oracle } from "../measures/oracle.ts";

/** ε of the whole guarantee: its third goes to the row sums. Large, so that few points are enough and something is sampled. */
const EPSILON = 0.99;
const FLOOR = 0.25;
const FEW = 32;
/** Logits that are far apart, and are not made smaller. */
const PLACES: InputSource = { name: "four-places", open: () => ({ next: fourPlaces }) };

const common = {
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 1; docs/theory.md §3",
  rule: { kind: "probability", allowed: DELTA },
  cases: [
    ...holdsOn("gaussian", "low-rank", "uniform-softmax", "equal-queries", "duplicated-keys", "sink-key"),
    ownCase(PLACES),
  ],
  anySource: false,
  n: 2048,
  runs: 60,
  standard: { n: 4096, families: ["gaussian", "low-rank", PLACES.name] },
  thorough: { n: 65536, families: ["gaussian", "low-rank", PLACES.name] },
  size: linearSize,
} as const;

/**
 * Logits small enough for large densities, and what Algorithm 1 found of them. Sums over many terms are what is sampled: row
 * sums have as many as there are keys, column norms as there are queries.
 */
async function measure(
  { implementation, input, seed, on, delta, family }: RunContext,
  shape: { n?: number; queries?: number },
): Promise<{ oracle: Oracle; head: KdeformerHead; plot: { evaluationShare: number } }> {
  const given = await input({ features: 8, valueFeatures: 1, ...shape });
  const scale = family === PLACES.name ? given.scale : given.scale / 8;
  const oracle = new Oracle({ ...given, scale }), { queries, keys } = oracle.problem;
  const target = {
    epsilon: EPSILON,
    delta,
    densityFloor: FLOOR,
    seed,
    fit: uniformDensity,
    samples: 1,
  };
  const { heads: [head], keyEvaluations } = await on((backend) =>
    implementation.kdeformer(backend, oracle.problem, target)
  );
  // Row sums and column norms are two passes over all pairs where nothing is saved.
  return { oracle, head, plot: { evaluationShare: keyEvaluations / (2 * queries * keys) } };
}

/** The diagonal of Algorithm 1. */
export const rowSums: Claim = {
  ...common,
  name: "row-sums",
  statement: "All row sums D~ of Algorithm 1 are within a factor 1 ± ε/3 with probability 1 − δ/3",
  formula: "P[max_i |D~_i/D_i − 1| > ε/3] <= δ/3 <= δ",
  assumptions:
    `ε = ${EPSILON}, densities above the floor; logits an eighth of the family's, but those of four places`,
  measurement: "largest |D~_i/D_i − 1| over all rows, D in float64",
  bound: EPSILON / 3,
  async run(context) {
    const { oracle, head, plot } = await measure(context, { queries: FEW });
    const errors = head.logRowSums.map((log, i) => Math.abs(Math.expm1(log - oracle.logRowSums[i])));
    return { measured: errors.reduce((a, b) => Math.max(a, b), 0), telling: plot.evaluationShare < 1, plot };
  },
};

/** The sampling probabilities of Algorithm 1. */
export const columnNorms: Claim = {
  ...common,
  name: "column-norms",
  statement:
    "All squared column norms of D~⁻¹A in Algorithm 1 are within a factor 1 ± 1/3 with probability 1 − δ/3",
  formula: "P[max_l |β_l / Σ_i D~_i⁻² e^(2⟨q_i,k_l⟩) − 1| > 1/3] <= δ/3 <= δ",
  assumptions:
    "given D~; densities above the floor; logits an eighth of the family's, but those of four places",
  measurement: "largest |β_l/‖(D~⁻¹A)_l‖² − 1| over all columns, in float64",
  bound: 1 / 3,
  async run(context) {
    const { oracle: { softmax, logRowSums, problem: { queries, keys } }, head, plot } = await measure(
      context,
      {
        n: FEW,
        queries: context.n,
      },
    );
    const squared = new Float64Array(keys);
    for (let i = 0; i < queries; i++) {
      const factor = Math.exp(2 * (logRowSums[i] - head.logRowSums[i]));
      for (let l = 0; l < keys; l++) squared[l] += factor * softmax[i * keys + l] ** 2;
    }
    const errors = squared.map((norm, l) => Math.abs(Math.exp(head.logColumnNorms[l]) / norm - 1));
    return { measured: errors.reduce((a, b) => Math.max(a, b), 0), telling: plot.evaluationShare < 1, plot };
  },
};
