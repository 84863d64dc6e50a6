import { RandomStream } from "../../kernels/random.ts";
import { holdsOn, shapeFamilies, squareFamilies } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { Oracle } from "../oracle.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

const ROWS = 24;
const SPOILT = 700;

/** An output with a few rows thrown to the far side: what a check of few rows is likeliest to miss. */
function spoil(
  { output, problem: { queries, valueFeatures, largestValue } }: Oracle,
  seed: number,
): Float32Array {
  const random = new RandomStream(seed, SPOILT), spoilt = Float32Array.from(output);
  const count = Math.min(queries, 1 + random.integer(6));
  for (const row of random.distinct(count, queries)) {
    for (let c = 0; c < valueFeatures; c++) {
      const at = row * valueFeatures + c;
      spoilt[at] = spoilt[at] > 0 ? -largestValue : largestValue;
    }
  }
  return spoilt;
}

/** A certificate that holds is true. */
export const certificateSoundness: Claim = {
  name: "certificate-soundness",
  statement:
    "A certificate says that an error is within ε‖P‖‖V‖ although it is not with probability at most δ",
  formula: "P[certificate holds and ‖Att~ − Att‖ > ε‖P‖‖V‖] <= δ",
  source: "Hoeffding 1963; estimators/certificate.ts",
  assumptions:
    `δ = ${DELTA}, ${ROWS} rows checked; the output may depend on everything but the seed of the check; every third run the ` +
    "practical KDEformer's, else exact attention with 1 to 6 rows thrown far off",
  measurement:
    "error left / (ε‖P‖‖V‖) where the certificate holds, else 0; ε is half of the error that there is, so that nearly every claim is false",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1 + 1e-5,
  cases: holdsOn(
    ...squareFamilies,
    "hard-instance",
    ...shapeFamilies.filter((name) => name !== "shape-more-keys"),
  ),
  anySource: true,
  n: 128,
  runs: 60,
  async run({ implementation, input, seed, run, on }) {
    const oracle = new Oracle(await input({ valueFeatures: VALUE_FEATURES })), { problem } = oracle;
    const rows = Math.min(ROWS, problem.queries);
    return await on(async (backend) => {
      const budget = { bucketSize: 16, samples: 24, seed };
      const output = run % 3 === 0
        ? (await implementation.practical(backend, problem, budget, {})).output.slice()
        : spoil(oracle, seed);
      const before = oracle.relativeError(output);
      const epsilon = Math.min(0.99, Math.max(1e-6, before / 2));
      const geometry = await implementation.headGeometry(backend, problem, seed);
      const request = { epsilon, delta: DELTA, rows, seed, round: 0, certify: "bound" } as const;
      const { certificate } = await implementation.certify(backend, problem, output, geometry, request);
      const product = oracle.softmaxNorm * oracle.valueNorm, after = oracle.error(output);
      const plot = {
        error: after / product,
        certified: certificate.operatorNormBound / product,
        estimated: certificate.operatorNormEstimate / product,
      };
      // Rounding of f32 attention is no error of the certificate's.
      const rounding = 1e-5 * oracle.valueNorm;
      const measured = certificate.holds && after > rounding ? after / (epsilon * product) : 0;
      return { measured, plot };
    });
  },
};
