import { makeProblem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { drawNormalHeads } from "./normal_heads.ts";
import { checkKeys, DELTA } from "./settings.ts";

/** Of fewer keys no row is held out. */
const LEAST_KEYS = 1024;
/** What an estimate from a few dozen rows is within. */
const FACTOR = 2;

/** What queries see. */
const SEEN = ["all", "causal", "masked"] as const;
/** Methods that hold rows out, with keys per query, half of them in a block: enough for what the method is, few enough to err. */
const METHODS = {
  "calibrated-linear": { method: "calibrated", keys: 16 },
  "calibrated-points": { method: "calibrated", keys: 128 },
  "tilted-tree": { method: "tilted-tree", keys: 192 },
} as const;

/** A method, its budget, and what its queries see. */
interface Setting {
  readonly method: "calibrated" | "tilted-tree";
  readonly keys: number;
  readonly sees: typeof SEEN[number];
}

const SETTINGS: Readonly<Record<string, Setting>> = Object.fromEntries(
  Object.entries(METHODS).flatMap(([name, own]) => SEEN.map((sees) => [`${name}-${sees}`, { ...own, sees }])),
);

/** What users are told of an error where nothing certifies it. */
export const estimatedError: Claim = {
  name: "estimated-error",
  statement:
    `The error that attention() estimates from rows held out is within a factor ${FACTOR} of the error of its output, but for a quarter of the draws`,
  formula: "P[max(e~/e, e/e~) > 2] <= ¼, e = ‖Att~ − Att‖_F/‖Att‖_F",
  source: "a measurement, not a theorem; estimators/methods/held_out.ts",
  assumptions:
    `two key heads of normal rows, about places of their own; all keys, causal order, or a mask of its own for each head; ${
      Object.entries(METHODS).map(([name, { keys }]) => `${keys} keys per query for ${name}`).join(", ")
    }`,
  measurement:
    "the larger of estimate over error and error over estimate, over all heads, with exact attention in float64",
  rule: { kind: "probability", allowed: DELTA },
  ownDelta: true,
  bound: FACTOR,
  cases: Object.keys(SETTINGS).map((name) => ownCase(noInput(name))),
  anySource: false,
  n: LEAST_KEYS,
  runs: 60,
  size: (n) => 2 * n * n,
  async run({ implementation, device, family, n, seed }) {
    checkKeys(n, LEAST_KEYS, "rows are held out where they cost a small part of the budget");
    const { method, keys, sees } = SETTINGS[family];
    const { query, key, value, options } = drawNormalHeads(new RandomStream(seed, Purpose.data), {
      keyHeads: 2,
      group: 1,
      queries: n,
      keys: n,
      features: 8,
      valueFeatures: 4,
      apart: 2,
      valuesApart: 3,
      causal: sees === "causal",
      masked: sees === "masked",
      scale: 0.35,
    });
    const { output, stats } = await implementation.attention(query, key, value, {
      ...options,
      method,
      device,
      seed,
      bucketSize: keys / 2,
      samples: keys / 2,
    });
    const exact = plainAttention(makeProblem(query, key, value, options)).output;
    let wrong = 0, squares = 0;
    exact.forEach((x, at) => {
      wrong += (output.data[at] - x) ** 2;
      squares += x * x;
    });
    const error = Math.sqrt(wrong / squares), { estimatedError: estimate } = stats;
    if (estimate === null) return { measured: 1, telling: false };
    return { measured: Math.max(estimate / error, error / estimate) };
  },
};
