import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { largestSingularValue } from "../measures/largest_singular_value.ts";
import { checkKeys, DELTA } from "./settings.ts";

const FEATURES = 64, VALUE_FEATURES = 16;
/** Fewer keys are attended exactly, which is as fast. */
const LEAST_KEYS = 4096;

/** A tolerance, and by which factor of it errors are within. */
interface Kept {
  readonly name: string;
  readonly tolerance: number;
  readonly factor: number;
  readonly words: string;
}

const KEPT: readonly Kept[] = [
  { name: "tolerance-kept", tolerance: 0.1, factor: 1, words: "that much" },
  // Coresets answer these, and few rows tell their errors.
  { name: "loose-tolerance", tolerance: 0.3, factor: 1.5, words: "half as much again" },
];

/** What a tolerance is kept to by, where nothing certifies it. */
export const tolerancesKept: readonly Claim[] = KEPT.map(({ name, tolerance, factor, words }): Claim => ({
  name,
  statement:
    `attention() with a tolerance of ${tolerance} errs at most ${words}, but for a quarter of the draws, by a coreset or a tree as long as it takes`,
  formula: `P[‖Att~ − Att‖ > ${factor === 1 ? "" : `${factor} `}tolerance ‖Att‖] <= ¼`,
  source: "a measurement, not a theorem; docs/theory.md §9",
  assumptions: `one head of ${FEATURES} features, and values of ${VALUE_FEATURES}`,
  measurement:
    "‖Att~ − Att‖/‖Att‖ in operator norm, from exact attention in single precision, whose own error is a millionth",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: factor * tolerance,
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
    const { output: { data }, stats } = await attend({ tolerance });
    if (stats.method === "exact") return { measured: 0, telling: false };
    const exact = (await attend({ method: "exact" })).output.data, rows = exact.length / VALUE_FEATURES;
    const norm = (entries: Float64Array) => largestSingularValue(entries, rows, VALUE_FEATURES);
    const error = Float64Array.from(exact, (x, at) => data[at] - x);
    return { measured: norm(error) / norm(Float64Array.from(exact)) };
  },
}));
