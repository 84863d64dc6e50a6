import { makeProblem } from "../../estimators/core/problem.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";
import { checkKeys, linearSize } from "./settings.ts";

const EPSILON = 0.45, LEAST_ROWS = 400;
/** Heads and rows that are checked, by family: enough for a certificate if all are right, too few for any, and enough for three heads. */
const CHECKS: Readonly<Record<string, { readonly heads: number; readonly rows: number }>> = {
  "sharp-rows": { heads: 1, rows: 80 },
  "sharp-rows-few-checked": { heads: 1, rows: 34 },
  "sharp-rows-three-heads": { heads: 3, rows: 100 },
};

/** The least favourable output: as few rows as make the claim false, each as wrong as can be. */
export const certificateSharpRows: Claim = {
  name: "certificate-sharp-rows",
  statement:
    "A certificate is false with probability at most δ where just enough rows lie on the far side, which a sample of rows is likeliest to miss",
  formula: "P has norm 1, rows of P V are ±1, ‖Att~ − Att‖ = 2√flipped > ε√n: P[certificate holds] <= δ",
  source: "Hoeffding 1963; estimators/certified/certificate.ts",
  assumptions:
    `ε = ${EPSILON}; 34 to 100 rows of n checked, of one head or of three; eight rows more than ε²n/4 are flipped in one of them, for those that the check puts right; by itself at a δ of a twentieth`,
  measurement: "error left / (ε‖P‖‖V‖) where the certificate holds, else 0",
  rule: { kind: "probability", allowed: 0.05 },
  bound: 1,
  cases: Object.keys(CHECKS).map((name) => ownCase(noInput(name))),
  anySource: false,
  n: 1300,
  // The probability is near δ, not near 0: that takes many.
  runs: 2500,
  size: linearSize,
  async run({ implementation, seed, on, n, delta, family }) {
    checkKeys(n, LEAST_ROWS, `the rows that are checked are a sample of at least ${LEAST_ROWS}`);
    const { heads, rows } = CHECKS[family], random = new RandomStream(seed, Purpose.spoiltRows);
    // Two kinds of queries and of keys, e^50 apart; values are what their rows answer.
    const kinds = Float32Array.from({ length: heads * n }, (_, at) => at % 2 ? 5 : -5),
      values = kinds.map(Math.sign);
    const shape = [heads, n, 1], [query, value] = [tensor(kinds, shape), tensor(values, shape)];
    const problem = makeProblem(query, query, value, { scale: 1 }), output = values.slice();
    const flipped = Math.floor(EPSILON ** 2 * n / 4) + 8, first = random.integer(heads) * n;
    for (const row of random.distinct(flipped, n)) output[first + row] *= -1;
    const request = { epsilon: EPSILON, delta, rows, seed, round: 0, certify: "bound" } as const;
    const { certificate } = await on(async (backend) => {
      const geometry = await implementation.headGeometry(backend, problem, seed);
      return await implementation.certify(backend, problem, output, geometry, request);
    });
    const left = Math.sqrt(output.reduce((sum, x, at) => sum + (x - values[at]) ** 2, 0));
    return { measured: certificate.holds ? left / (EPSILON * Math.sqrt(n)) : 0 };
  },
};
