import { OFFSET } from "../../estimators/methods/rivals/balancekv/walk_block.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import {
  balancedBound,
  centredKeys,
  checkSays,
  largestError,
  logLargestKernel,
  walkVariance,
} from "./balanced_sums.ts";
import { DELTA } from "./settings.ts";

/** The bound is about the largest error of all of them. */
const QUERIES = 128;

/** Half of the keys stand for all of them, at the steepness that the proof has. */
export const balancekvPromise: Claim = {
  name: "balancekv-promise",
  statement:
    "Half of the keys, by a walk of signs as gentle as its proof asks, give attention within its sub-Gaussian bound",
  formula:
    "γ = 1/(2cR²), c = ½ + ln(4n/δ): P[max |Att~ − Att| > z σ e^(‖q‖²/2√d) √(1 + Att²/offset) / (D − …)] <= δ",
  source: "Alweiss, Liu and Sawhney 2021; Kochetkova et al. 2025; docs/theory.md §4.2",
  assumptions:
    `R² the largest kernel of a key with itself; one round, one block; the authors' steepness, 4, is far beyond it and has no proof`,
  measurement: "max |Att~ − Att| over its bound",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1,
  promisedBy: "balancekv",
  cases: holdsOn("bounded-norms"),
  anySource: true,
  n: 512,
  runs: 60,
  async run({ implementation, input, seed, run, on, delta }) {
    const oracle = new Oracle(await input({ queries: QUERIES, valueFeatures: 2 })), { problem } = oracle;
    const { keys, largestValue } = problem;
    const { centred, logSums } = centredKeys(oracle), limit = 0.5 + Math.log(4 * keys / delta);
    const logLargest = logLargestKernel(centred, problem, OFFSET);
    const logDeviation = (logLargest + Math.log(walkVariance(limit))) / 2;
    // The keys after the last that is dropped stay as they are: where the walk ends there is not known beforehand.
    const sum = { logDeviation, offset: OFFSET, times: keys, delta: delta / 2 };
    const bound = balancedBound(oracle, logSums, sum);
    checkSays(bound, oracle, run);
    const gamma = 1 / (2 * limit * Math.exp(logLargest));
    const balancing = { rounds: 1, block: keys, gamma, first: "coin" } as const;
    const budget = { bucketSize: 0, samples: 1, seed };
    const { output } = await on((backend) =>
      implementation.attendBalanced(backend, problem, budget, balancing)
    );
    const error = largestError(oracle, output);
    return { measured: error / bound, plot: { error: error / largestValue, promised: bound / largestValue } };
  },
};
