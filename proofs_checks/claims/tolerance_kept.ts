import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { largestSingularValue } from "../measures/largest_singular_value.ts";
import { checkKeys, DELTA } from "./settings.ts";

const TOLERANCE = 0.1, FEATURES = 64, VALUE_FEATURES = 16;
/** Fewer keys are attended exactly, which is as fast. */
const LEAST_KEYS = 4096;

/** What a tolerance is kept to by, where nothing certifies it. */
export const toleranceKept: Claim = {
  name: "tolerance-kept",
  statement:
    "attention() with a tolerance errs at most that much, but for a quarter of the draws, by a coreset or a tree as long as it takes",
  formula: "P[‖Att~ − Att‖ > tolerance ‖Att‖] <= ¼",
  source: "a measurement, not a theorem; docs/theory.md §9",
  assumptions: `tolerance ${TOLERANCE}; one head of ${FEATURES} features, and values of ${VALUE_FEATURES}`,
  measurement:
    "‖Att~ − Att‖/‖Att‖ in operator norm, from exact attention in single precision, whose own error is a millionth",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: TOLERANCE,
  cases: holdsOn("low-rank", "sink-key", "cluster-imbalance"),
  anySource: false,
  n: LEAST_KEYS,
  runs: 200,
  from: "standard",
  async run({ implementation, device, input, n, seed }) {
    checkKeys(n, LEAST_KEYS, "fewer are attended exactly");
    const { query, key, value, scale } = await input({ features: FEATURES, valueFeatures: VALUE_FEATURES });
    const attend = (how: { readonly tolerance: number } | { readonly method: "exact" }) =>
      implementation.attention(query, key, value, { scale, device, seed, ...how });
    const { output: { data }, stats } = await attend({ tolerance: TOLERANCE });
    if (stats.method === "exact") return { measured: 0, telling: false };
    const exact = (await attend({ method: "exact" })).output.data, rows = exact.length / VALUE_FEATURES;
    const norm = (entries: Float64Array) => largestSingularValue(entries, rows, VALUE_FEATURES);
    const error = Float64Array.from(exact, (x, at) => data[at] - x);
    return { measured: norm(error) / norm(Float64Array.from(exact)) };
  },
};
