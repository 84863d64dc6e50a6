import { publishedThinning } from "../../estimators/methods/rivals/thinformer/plan_thinning.ts";
import { holdsOn } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../measures/oracle.ts";
import { balancedBound, checkSays, largestError, logLargestKernel, walkVariance } from "./balanced_sums.ts";
import { DELTA } from "./settings.ts";

/** The bound is about the largest error of all of them. */
const QUERIES = 128;

/** 2^g √n keys are kept. */
const G = 3;

/** Thinned keys stand for all of them, as Thinformer's proof has it. */
export const thinformerPromise: Claim = {
  name: "thinformer-promise",
  statement:
    "Attention to 8 √n keys, thinned by kernel halving, is off by no more than its sub-Gaussian bound allows",
  formula: "P[max |Att~ − Att| > z σ e^(‖q‖²/2√d) √2 / (D − …)] <= δ, σ² = Σ_r 4^r B_r b² L²/(2L − 1)",
  source: "Carrell, Gong, Shetty, Dwivedi and Mackey 2025; docs/theory.md §4.2",
  assumptions:
    `bounded norms: elsewhere the bound exceeds what any mean of values keeps to, and says nothing`,
  measurement: "max |Att~ − Att| over its bound",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1,
  promisedBy: "thinformer",
  cases: holdsOn("bounded-norms"),
  anySource: true,
  n: 1024,
  runs: 60,
  async run({ implementation, input, seed, run, on, delta }) {
    const oracle = new Oracle(await input({ queries: QUERIES, valueFeatures: 2 })), { problem } = oracle;
    const { keys, key, largestValue } = problem;
    const thinning = { ...publishedThinning(keys, G), delta }, offset = largestValue ** 2;
    // A step is the difference of two.
    const logLargest = logLargestKernel(key, problem, offset);
    let variance = 0;
    for (let round = 0; round < thinning.rounds; round++) {
      const size = thinning.bucket * 2 ** round, buckets = Math.ceil(keys / 2 ** round / size);
      const limit = 0.5 + Math.log(2 * thinning.rounds * keys / delta);
      variance += 4 ** round * buckets * walkVariance(limit);
    }
    const logDeviation = Math.log(2) + (logLargest + Math.log(variance)) / 2;
    const bound = balancedBound(oracle, oracle.logRowSums, { logDeviation, offset, delta: delta / 2 });
    checkSays(bound, oracle, run);
    const budget = { bucketSize: 0, samples: 1, seed };
    const { output } = await on((backend) =>
      implementation.attendThinned(backend, problem, budget, thinning)
    );
    const error = largestError(oracle, output);
    return { measured: error / bound, plot: { error: error / largestValue, promised: bound / largestValue } };
  },
};
