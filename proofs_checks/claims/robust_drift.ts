import type { Claim, ClaimCase, InputSource, RunContext } from "../engine/claim.ts";
import { familySource, ownCase } from "../engine/cases.ts";
import { addOutliers, AMONG, FAR_OUT, type Strength } from "../inputs/outliers.ts";
import { clustered } from "../inputs/clustered.ts";
import { Oracle } from "../measures/oracle.ts";
import {
  distance,
  LEAST_KEYS,
  robustInput,
  robustOutput,
  SHARE,
  type Variant,
  variants,
} from "./robust_variants.ts";
import { checkKeys, DELTA } from "./settings.ts";

/** The name of the case whose outliers lie among the keys. */
const among: InputSource = familySource(clustered, undefined, "outliers-among-keys");
const hidden = ownCase(
  among,
  "refuted",
  "outliers no farther out than clean keys and values stand out from nothing, so that they are heard as softmax attention hears them",
);

/** How far outliers move robust attention, beside how far they move softmax attention. */
export const robustDrift: readonly Claim[] = variants.map((variant): Claim => ({
  name: `robust-drift-${variant.name}`,
  statement:
    `A twentieth of far outliers moves attention with ${variant.words} at most a fifth as far as softmax attention`,
  formula: "‖R(K′, V′) − Att(K, V)‖_F <= ⅕ ‖Att(K′, V′) − Att(K, V)‖_F",
  source: "Han, Ren, Nguyen et al. 2023; docs/theory.md §10",
  assumptions:
    `a measurement, not a theorem; ${SHARE} of the keys K′, values V′ are outliers, of ${FAR_OUT.keys} times the length of the others ` +
    `and with values ${FAR_OUT.values} times as long, or copies of keys with values ${FAR_OUT.farValues} times as long`,
  measurement: `the ratio of the two, the largest of ${variant.attacks.join(", ")}`,
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: 0.2,
  cases: casesOf(variant),
  anySource: variant.name === "hampel",
  // The others say what the default is chosen over.
  from: variant.name === "hampel" ? undefined : "standard",
  n: 192,
  runs: variant.runs,
  run: (context) => largestDrift(context, variant, context.family === among.name ? AMONG : FAR_OUT),
}));

function casesOf({ name, drift }: Variant): readonly ClaimCase[] {
  return name === "hampel" ? [...drift, hidden] : drift;
}

async function largestDrift(context: RunContext, { options, attacks }: Variant, strength: Strength) {
  const input = await robustInput(context), clean = new Oracle(input);
  checkKeys(clean.problem.keys, LEAST_KEYS, "a twentieth of them is to be several");
  const plot: Record<string, number> = {};
  let measured = 0;
  for (const attack of attacks) {
    const { input: spoilt } = addOutliers(input, attack, SHARE, context.seed, strength);
    const drift = distance(await robustOutput(context, spoilt, options), clean.output);
    const softmax = distance(new Oracle(spoilt).output, clean.output);
    plot[attack] = drift === 0 ? 0 : drift / softmax;
    // NaN is larger than any number.
    if (!(plot[attack] <= measured)) measured = plot[attack];
  }
  return { measured, plot };
}
