import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { densityRows } from "../../estimators/robust/density_rows.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { addOutliers, type Attack, attacks, FAR_OUT } from "../inputs/outliers.ts";
import { NotApplicable } from "../engine/outcome.ts";
import { LEAST_KEYS, SHARE } from "./robust_variants.ts";
import { checkKeys, DELTA, VALUE_FEATURES } from "./settings.ts";

/** Largest share of outliers that the weights are told of. */
const FRACTION = 0.1;
/** Doublings of how far out outliers lie, at most. */
const DOUBLINGS = 8;

/**
 * Outliers, a share α of the n keys, whose kernel values with all clean keys are at most ρ − α have row means of at most ρ, since values
 * among themselves are at most 1. Their distances from the mean are then beyond the corner at which weights end, and beyond all but ρ n
 * of the keys' if at most (ρ − α) n clean keys have such row means.
 */
export const robustRejection: Claim = {
  name: "robust-rejection",
  statement:
    "Fewer outliers than Hampel's corners are told of weigh nothing, be they together or apart, if they are far from the clean keys",
  formula: "max k(outlier, clean) <= ρ − α, #{clean: r_j <= ρ} <= (ρ − α) n ⟹ ω = 0 at every outlier",
  source: "row means of outliers are at most α + (ρ − α); docs/theory.md §10",
  assumptions: `α = ${SHARE}, ρ = ${FRACTION}; outliers as far out as the premise asks for`,
  measurement: `largest weight of an outlier, the largest of ${attacks.join(", ")}`,
  rule: { kind: "always", allowed: DELTA },
  bound: 0,
  cases: holdsOn("clustered", "gaussian", "low-rank", "sink-key"),
  anySource: false,
  n: 192,
  runs: 40,
  async run({ implementation, input, seed, device }) {
    const clean = await input({ queries: 16, valueFeatures: VALUE_FEATURES });
    checkKeys(clean.key.shape[1], LEAST_KEYS, "a twentieth of them is to be several");
    let measured = 0;
    for (const attack of attacks) {
      const { input: { query, key, value, scale }, outliers } = farEnough(clean, attack, seed);
      const { weights } = await implementation.robustAttention(query, key, value, {
        ...{ scale, device, seed },
        outlierFraction: FRACTION,
      });
      for (const row of outliers) measured = Math.max(measured, weights.data[row]);
    }
    return { measured };
  },
};

/** The input with outliers for which the premise holds. */
function farEnough(clean: AttentionInput, attack: Attack, seed: number) {
  for (let factor = 1; factor <= 2 ** DOUBLINGS; factor *= 2) {
    const strength = {
      keys: factor * FAR_OUT.keys,
      values: factor * FAR_OUT.values,
      farValues: factor * FAR_OUT.farValues,
    };
    const spoilt = addOutliers(clean, attack, SHARE, seed, strength);
    if (premiseHolds(spoilt.input, new Set(spoilt.outliers), seed)) return spoilt;
  }
  throw new NotApplicable("more clean keys than may be are as far out as outliers, however far these are");
}

/** By kernel values in float64, of the density that robust attention with this seed looks at. */
function premiseHolds(
  { query, key, value, scale }: AttentionInput,
  outliers: ReadonlySet<number>,
  seed: number,
): boolean {
  const { data, keys, width } = densityRows(
    makeProblem(query, key, value, { scale }),
    "joint",
    "median",
    seed,
  );
  const share = outliers.size / keys;
  let largest = 0, far = 0;
  for (let j = 0; j < keys; j++) {
    if (outliers.has(j)) continue;
    let sum = 0;
    for (let i = 0; i < keys; i++) {
      let squared = 0;
      for (let t = 0; t < width; t++) squared += (data[i * width + t] - data[j * width + t]) ** 2;
      const kernel = Math.exp(-squared / 2);
      sum += kernel;
      if (outliers.has(i)) largest = Math.max(largest, kernel);
    }
    if (sum / keys <= FRACTION) far++;
  }
  return largest <= FRACTION - share && far <= Math.floor((FRACTION - share) * keys);
}
