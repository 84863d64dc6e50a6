import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

/** What sums of n float64 numbers may lose, per number. */
const UNIT = 2 ** -50;

/** The probabilities themselves: errors of samples hardly tell them from others that are nearly as good. */
export const keyProbabilitiesClaim: Claim = {
  name: "key-probabilities",
  statement:
    "Algorithm 1 draws keys with half the share of their squared column norm and half that of their squared value",
  formula: "p_l = ½ ‖P e_l‖²/‖P‖_F² + ½ ‖v_l‖²/‖V‖_F²",
  source: "Zandieh, Han, Daliri and Karbasi 2023, Algorithm 1",
  assumptions: "given the column norms",
  measurement: "largest |p_l / (that) − 1| over all keys, in units of n roundings of float64",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: holdsOn(
    "gaussian",
    "sink-key",
    "huge-value",
    "rare-value",
    "permutation-softmax",
    "shape-more-keys",
  ),
  anySource: true,
  n: 96,
  runs: 50,
  async run({ implementation, input }) {
    const { softmax, problem } = new Oracle(await input({ valueFeatures: VALUE_FEATURES }));
    const { queries, keys, value, valueFeatures } = problem;
    const columns = new Float64Array(keys), values = new Float64Array(keys);
    for (let at = 0; at < softmax.length; at++) columns[at % keys] += softmax[at] ** 2;
    value.forEach((x, at) => values[Math.floor(at / valueFeatures)] += x * x);
    const [column, length] = [columns, values].map((all) => all.reduce((a, b) => a + b, 0));
    const found = implementation.keyProbabilities(columns.map(Math.log), values);
    const errors = found.map((p, l) => {
      const right = columns[l] / column / 2 + (length > 0 ? values[l] / length : 1 / keys) / 2;
      return Math.abs(p / right - 1);
    });
    return { measured: errors.reduce((a, b) => Math.max(a, b), 0) / (UNIT * (queries + keys)) };
  },
};
