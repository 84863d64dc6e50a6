import { kernelFactor } from "../../estimators/methods/rivals/wildcat/temperature.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { centredKeys, checkSays, largestError, squareOf } from "./balanced_sums.ts";
import { greedyTails, pivotedCholeskyTrace } from "./pivoted_trace.ts";
import { DELTA } from "./settings.ts";

/** The bound is about the largest error of all of them. */
const QUERIES = 128;

/** A quarter of the keys. */
const SHARE = 1 / 4;

/** Pivots stand for all keys as well as their kernel is of low rank. */
export const wildcatPromise: Claim = {
  name: "wildcat-promise",
  statement:
    "Attention to pivots, a quarter of the keys, is off by no more than the trace that they leave of the kernel allows",
  formula:
    "p >= r/ε + r ln(1/(εη)): P[max |Att~ − Att| > e^(s²‖q‖²/2f) √((1 + ε) tail_r/δ) ‖v − Att‖ / (D − …)] <= δ",
  source: "Chen, Epperly, Tropp and Webber 2024; Schröder and Mackey 2026; docs/theory.md §4.2",
  assumptions:
    `4 features, one bin, the constant temperature; the best of all ranks r and ε; bounded norms, or it says nothing`,
  measurement: "max |Att~ − Att| over its bound",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1,
  promisedBy: "wildcat",
  cases: holdsOn("bounded-norms", "uniform-softmax"),
  anySource: true,
  n: 512,
  runs: 60,
  async run({ implementation, input, seed, run, on, delta }) {
    const oracle = new Oracle(await input({ queries: QUERIES, features: 4, valueFeatures: 2 })),
      { problem, output } = oracle;
    const { queries, keys, query, value, features, valueFeatures, scale, largestValue } = problem;
    const pivots = Math.max(1, Math.floor(SHARE * keys)), { centred, logSums } = centredKeys(oracle);
    const longest = (rows: ArrayLike<number>) => {
      let largest = 0;
      for (let row = 0; row < rows.length / features; row++) {
        largest = Math.max(largest, Math.sqrt(squareOf(rows, features, row)));
      }
      return largest;
    };
    const sizes = { keys, query: longest(query), key: longest(centred), scale };
    const factor = kernelFactor("constant", sizes);
    let bound = 0;
    // Without a factor all keys are one, and a pivot is all of them.
    if (factor > 0) {
      const { tails, logUnit } = greedyTails(centred, features, factor, pivots);
      const logTrace = Math.log(pivotedCholeskyTrace(tails, pivots) / delta) + logUnit;
      for (let i = 0; i < queries; i++) {
        const logQuery = scale ** 2 * squareOf(query, features, i) / (2 * factor);
        const share = Math.exp(logQuery + logTrace / 2 - logSums[i]), left = 1 - share * Math.sqrt(keys);
        for (let c = 0; c < valueFeatures; c++) {
          let square = 0;
          for (let l = 0; l < keys; l++) {
            square += (value[l * valueFeatures + c] - output[i * valueFeatures + c]) ** 2;
          }
          bound = Math.max(bound, left > 0 ? share * Math.sqrt(square) / left : Infinity);
        }
      }
    }
    // Sums in single precision.
    bound += 2 ** -20 * largestValue;
    checkSays(bound, oracle, run);
    const budget = { bucketSize: 0, samples: 1, seed },
      compression = { pivots, bins: 1, rule: "constant" } as const;
    const found = await on((backend) => implementation.attendPivots(backend, problem, budget, compression));
    const error = largestError(oracle, found.output);
    return { measured: error / bound, plot: { error: error / largestValue, promised: bound / largestValue } };
  },
};
