import { makeProblem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { plainAttention } from "../measures/plain_attention.ts";
import { differenceOf } from "./exact_cases.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

/** Of keys and of what is added to them: their sums are exact in single precision, and so is every centred difference. */
const GRID = 2 ** -10;
/** Keys are moved by up to so much in every direction. */
const FAR = 4096;

/** Digits of logits are lost to what keys have in common, unless that is taken off before they are rounded. */
export const farKeys: Claim = {
  name: "far-keys",
  statement: "Keys thousands of their standard deviations from 0 cost exact attention no digits",
  formula: "Att(K + 1uᵀ) = Att(K)",
  source: "the definition of softmax attention; estimators/core/centred.ts",
  assumptions: `single precision; |u_t| <= ${FAR}, on a grid that makes K + 1uᵀ exact`,
  measurement:
    "largest difference of attention() with K + 1uᵀ from the formula with K in float64, over what rounding of the logits of K explains",
  rule: { kind: "always", allowed: DELTA },
  bound: 1,
  cases: holdsOn("gaussian", "clustered", "low-rank", "sink-key", "shape-indivisible"),
  anySource: false,
  n: 96,
  runs: 50,
  async run({ implementation, device, input, seed }) {
    const { query, key, value, scale } = await input({ valueFeatures: VALUE_FEATURES });
    const random = new RandomStream(seed, Purpose.data), features = key.shape[2];
    const shift = Float64Array.from(
      { length: features },
      () => (random.integer(2 * FAR / GRID) - FAR / GRID) * GRID,
    );
    const near = tensor(key.data.map((x) => Math.round(x / GRID) * GRID), key.shape);
    const far = tensor(near.data.map((x, at) => x + shift[at % features]), key.shape);
    const { output } = await implementation.attention(query, far, value, { scale, method: "exact", device });
    const problem = makeProblem(query, near, value, { scale });
    return { measured: differenceOf(problem, output.data, plainAttention(problem).output) };
  },
};
