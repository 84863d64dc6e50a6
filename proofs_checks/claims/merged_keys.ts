import type { Backend } from "../../kernels/backend.ts";
import { leastSoftmaxNorm } from "../../estimators/certified/exact_certificate.ts";
import { roundingBounds } from "../../estimators/certified/rounding_bound.ts";
import { valueGeometry } from "../../estimators/certified/value_geometry.ts";
import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { squaredLength } from "../../estimators/linear_algebra/lower_operator_norm.ts";
import { operatorNorm } from "../../estimators/linear_algebra/operator_norm.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn, searchedCase } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { NotApplicable } from "../engine/outcome.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { DELTA } from "./settings.ts";

/** Copies of each key at least, twice as many as merging asks for. */
const COPIES = 16;
/** How far keys lie from what they are copies of, in units of what the error allowed leaves: cells of them reach twice as far. */
const NEAREST = 0.02, FARTHEST = 0.4;
const LEAST_EPSILON = 0.01, MOST_EPSILON = 0.5;

/**
 * The keys of an input in clusters so tight that they may be merged, of sizes that differ. Within a cluster keys move along one query, half of them each way, and
 * values with them, so that errors of all keys add up in the row of that query.
 */
function tighten(
  { query, key, value, scale }: AttentionInput,
  random: RandomStream,
  epsilon: number,
): Problem {
  const [, keys, features] = key.shape, width = value.shape[2], originals = Math.floor(keys / COPIES);
  if (originals < 1) throw new NotApplicable(`${keys} keys are too few: each is to have ${COPIES} copies`);
  const own = key.data.slice(), far = value.data.slice(), queries = query.shape[1];
  const along = query.data.subarray(random.integer(queries) * features).subarray(0, features);
  const length = Math.hypot(...along), sides = new Int8Array(keys);
  for (let j = 0; j < keys; j++) {
    // One of the clusters has half of what is not yet taken.
    const from = j < originals ? j : random.integer(2) === 0 ? 0 : random.integer(originals);
    own.copyWithin(j * features, from * features, (from + 1) * features);
    sides[j] = random.integer(2) === 0 ? 1 : -1;
    for (let c = 0; c < width; c++) far[j * width + c] = sides[j] * Math.abs(far[j * width + c]);
  }
  const make = () =>
    makeProblem(query, { data: own, shape: key.shape }, { data: far, shape: value.shape }, { scale });
  const problem = make(), [geometry] = valueGeometry(problem);
  const allowed = epsilon * leastSoftmaxNorm(queries, geometry) * geometry.valueNorm;
  const each = Math.abs(scale) * Math.sqrt(squaredLength(query.data)) * geometry.radius;
  const share = NEAREST * (FARTHEST / NEAREST) ** random.uniform();
  const reach = each > 0 && length > 0 ? share * allowed / each / length : 0;
  sides.forEach((side, j) => along.forEach((x, c) => own[j * features + c] += side * reach * x));
  return make();
}

/** Merges the keys of a run, some of them hidden in every other one. */
async function mergeTightly({ implementation, input, seed, run }: RunContext, backend: Backend) {
  const random = new RandomStream(seed, Purpose.data);
  const epsilon = LEAST_EPSILON * (MOST_EPSILON / LEAST_EPSILON) ** random.uniform();
  const given = tighten(await input({ valueFeatures: 4 }), random, epsilon);
  const hides = run % 2 === 1, hidden = () => random.uniform() < 0.2;
  const mask = Array.from({ length: given.keys }, (_, j) => j % COPIES === 0 || !hides || !hidden());
  const { query, key, value, queries, keys, features, valueFeatures, scale } = given;
  const problem = makeProblem(
    { data: query, shape: [1, queries, features] },
    { data: key, shape: [1, keys, features] },
    { data: value, shape: [1, keys, valueFeatures] },
    { scale, keyMask: mask },
  );
  const merged = await implementation.attendMerged(
    backend,
    problem,
    valueGeometry(problem),
    roundingBounds(backend, problem),
    epsilon,
  );
  return { problem, merged, epsilon };
}

/** A bound that is certain is true. */
export const mergedKeysBound: Claim = {
  name: "merged-keys-bound",
  statement:
    "Attention to cells of keys errs by no more than the bound that is given for certain, without any row checked",
  formula: "‖Att~ − Att‖ <= √(Σ_i (2 tanh(|s| ‖q_i‖ r/2) R + λ + rounding_i)²)",
  source: "docs/theory.md §8.4",
  assumptions:
    "keys in tight clusters that move along a query, values with them; sizes of clusters differ; masks; single precision",
  measurement: "‖Att~ − Att‖ in float64 over the bound; 0 where no bound is given",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: [
    ...holdsOn(
      "gaussian",
      "clustered",
      "heavy-tailed",
      "sink-key",
      "needle",
      "huge-logits",
      "equal-queries",
      "huge-value",
    ),
    { ...searchedCase, runs: 60 },
  ],
  anySource: true,
  n: 96,
  runs: 50,
  async run(context) {
    return await context.on(async (backend) => {
      const { problem, merged } = await mergeTightly(context, backend);
      if (!merged) return { measured: 0, telling: false };
      const { output } = plainAttention(problem), { queries, valueFeatures } = problem;
      const error = operatorNorm(output.map((x, at) => x - merged.output[at]), queries, valueFeatures);
      const { operatorNormBound, target } = merged.certificate;
      if (!(operatorNormBound <= target)) return { measured: Infinity };
      return { measured: error === 0 ? 0 : error / operatorNormBound };
    });
  },
};

/** What the bound of each row certifies, and what samples do not. */
export const mergedKeysCertified: Claim = {
  name: "merged-keys-certified",
  statement:
    "Keys in tight clusters are certified without any row checked, where as many evaluations of checked rows certify not even exact attention",
  formula: "Σ_i (2 tanh(|s| ‖q_i‖ r/2) R + …)² <= (ε √(n_q/n_k) ‖V‖)²",
  source: "docs/theory.md §8.4",
  assumptions:
    "clusters of 16 keys and more, as tight as ε allows; ε from 0.01 to 0.5; rows for as many evaluations as cells take",
  measurement: "0 where cells are certified and rows are not, else 1",
  rule: { kind: "always", allowed: DELTA },
  bound: 0.5,
  cases: holdsOn("gaussian", "clustered", "equal-queries", "duplicated-keys"),
  anySource: false,
  n: 96,
  runs: 40,
  async run(context) {
    const { implementation, on, seed, delta } = context;
    return await on(async (backend) => {
      const { problem, merged, epsilon } = await mergeTightly(context, backend);
      if (!merged) return { measured: 1 };
      const exact = await implementation.exactAttention(backend, problem);
      const geometry = await implementation.headGeometry(backend, problem, seed);
      const rows = Math.max(1, Math.floor(merged.keyEvaluations / problem.keys));
      const request = { epsilon, delta, rows, seed, round: 0, certify: "bound" } as const;
      const output = exact.output.slice();
      const { certificate } = await implementation.certify(backend, problem, output, geometry, request);
      return { measured: certificate.holds ? 1 : 0 };
    });
  },
};
