import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { holdsOn, ownCase, searchedCase, shapeFamilies, squareFamilies } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { inputFamily } from "../inputs/families.ts";
import { Oracle } from "../measures/oracle.ts";
import { DELTA, VALUE_FEATURES } from "./settings.ts";

const ROWS = 24;

/** An output with a few rows thrown to the far side: what a check of few rows is likeliest to miss. */
function spoil(
  { output, problem: { queries, valueFeatures, largestValue } }: Oracle,
  seed: number,
): Float32Array {
  const random = new RandomStream(seed, Purpose.spoiltRows), spoilt = Float32Array.from(output);
  const count = Math.min(queries, 1 + random.integer(3));
  for (const row of random.distinct(count, queries)) {
    for (let c = 0; c < valueFeatures; c++) {
      const at = row * valueFeatures + c;
      spoilt[at] = spoilt[at] > 0 ? -largestValue : largestValue;
    }
  }
  return spoilt;
}

/** An output that is off by the same vector in every row: what a check of few rows measures best. */
function shift({ output, problem: { valueFeatures, largestValue } }: Oracle): Float32Array {
  return Float32Array.from(output, (x, at) => at % valueFeatures === 0 ? x + largestValue / 2 : x);
}

/** Queries a sixteenth of the keys: ‖P‖ may then be as small as a quarter. */
const fewQueries = ownCase({
  name: "uniform-softmax-few-queries",
  open: () => ({
    next: (options) =>
      inputFamily("uniform-softmax").generate({ ...options, n: 16 * options.n, queries: options.n }),
  }),
});

/** How an output comes to be wrong. */
interface Attack {
  readonly name: string;
  readonly words: string;
  readonly families: readonly string[];
  output(context: RunContext, oracle: Oracle, backend: Backend): Promise<Float32Array> | Float32Array;
}

const some = [
  "gaussian",
  "clustered",
  "heavy-tailed",
  "sink-key",
  "needle",
  "hard-instance",
  "huge-value",
  "shape-more-keys",
];
const attacks: readonly Attack[] = [
  {
    name: "approximation",
    words: "the practical KDEformer's output",
    families: some,
    async output({ implementation, seed }, { problem }, backend) {
      const budget = { bucketSize: 16, samples: 24, seed };
      return (await implementation.methods["kdeformer-practical"](backend, problem, budget, {})).output
        .slice();
    },
  },
  {
    name: "spoilt-rows",
    words: "exact attention with 1 to 3 rows thrown to the far side",
    // Of one query nothing is left that was not checked.
    families: [
      ...squareFamilies,
      "hard-instance",
      ...shapeFamilies.filter((name) => name !== "shape-one-query"),
    ],
    output: ({ seed }, oracle) => spoil(oracle, seed),
  },
  {
    name: "moved-rows",
    words: "exact attention with all rows moved alike",
    families: some,
    output: (_, oracle) => shift(oracle),
  },
];

/** A certificate that holds is true. */
export const certificateClaims: readonly Claim[] = attacks.map((
  { name, words, families, output: outputOf },
): Claim => ({
  name: `certificate-${name}`,
  statement: `Of ${words} a certificate says falsely that it is within ε‖P‖‖V‖ with probability at most δ`,
  formula: "P[certificate holds and ‖Att~ − Att‖ > ε‖P‖‖V‖] <= δ",
  source: "Hoeffding 1963; estimators/certified/certificate.ts",
  assumptions:
    `${ROWS} rows checked, at most half of them; the output may depend on everything but the seed of the check`,
  measurement:
    "error left / (ε‖P‖‖V‖) where the certificate holds, else 0; ε is half of the error that there is, so that nearly every claim is false",
  rule: { kind: "probability", allowed: DELTA },
  bound: 1 + 1e-5,
  cases: [searchedCase, ...holdsOn(...families), fewQueries],
  anySource: true,
  n: 96,
  runs: 60,
  standard: { n: 4096, families: ["gaussian", "clustered"], runsPerInput: 100 },
  async run(context) {
    const { implementation, input, seed, on, delta } = context;
    const oracle = Oracle.of(await input({ valueFeatures: VALUE_FEATURES })), { problem } = oracle;
    const rows = Math.min(ROWS, Math.ceil(problem.queries / 2));
    return await on(async (backend) => {
      const output = await outputOf(context, oracle, backend);
      const before = oracle.relativeError(output), epsilon = Math.min(0.99, Math.max(1e-6, before / 2));
      const geometry = await implementation.headGeometry(backend, problem, seed);
      const request = { epsilon, delta, rows, seed, round: 0, certify: "bound" } as const;
      const { certificate } = await implementation.certify(backend, problem, output, geometry, request);
      const product = oracle.softmaxNorm * oracle.valueNorm, after = oracle.error(output);
      const plot = {
        error: after / product,
        certified: certificate.operatorNormBound / product,
        estimated: certificate.operatorNormEstimate / product,
      };
      const measured = certificate.holds && after > 0 ? after / (epsilon * product) : 0;
      // Where certificates hold rarely a search follows how near the error comes to its bound.
      const badness = Math.max(measured, after === 0 ? 0 : after / certificate.operatorNormBound);
      return { measured, telling: after > epsilon * product, badness, plot };
    });
  },
}));
