import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { distance, LEAST_KEYS, robustInput, robustOutput, variants } from "./robust_variants.ts";
import { checkKeys, DELTA } from "./settings.ts";

/** What robust attention costs where there is no outlier. */
export const robustClean: readonly Claim[] = variants.map((variant): Claim => ({
  name: `robust-clean-${variant.name}`,
  statement: `Without outliers attention with ${variant.words} is within a tenth of softmax attention`,
  formula: "‖R(K, V) − Att(K, V)‖_F <= ⅒ ‖Att(K, V)‖_F",
  source: "Han, Ren, Nguyen et al. 2023; docs/theory.md §10",
  assumptions: "a measurement, not a theorem",
  measurement: "‖R − Att‖_F / ‖Att‖_F, Att in float64",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: 0.1,
  cases: variant.clean,
  anySource: variant.name === "hampel",
  from: variant.name === "hampel" ? undefined : "standard",
  n: 192,
  runs: variant.runs,
  async run(context) {
    const input = await robustInput(context), { problem, output: exact } = new Oracle(input);
    checkKeys(problem.keys, LEAST_KEYS, "a tenth of them, which may be taken for outliers, is to be several");
    const error = distance(await robustOutput(context, input, variant.options), exact);
    return { measured: error === 0 ? 0 : error / distance(new Float64Array(exact.length), exact) };
  },
}));
