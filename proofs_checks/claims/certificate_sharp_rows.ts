import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim, RunContext } from "../engine/claim.ts";
import { checkKeys, linearSize } from "./settings.ts";
import { flipRows, justEnough, largestError, sharpRows } from "./sharp_rows.ts";

const EPSILON = 0.45, LEAST_ROWS = 400;

/** Key heads, query heads to each of them, and rows that are checked of each of these. */
interface Check {
  readonly heads: number;
  readonly group: number;
  readonly rows: number;
  /** That `rows` is a share of all. */
  readonly isShare?: boolean;
  /** That the error asked for is so small that one row is too many. */
  readonly oneRow?: boolean;
  /** Flipped rows beyond just enough of them, for those that a check finds and puts right. */
  readonly spare?: number;
}

/** Enough rows for a certificate if all are right, too few for any, and enough for several heads. */
const CHECKS: Readonly<Record<string, Check>> = {
  "sharp-rows": { heads: 1, group: 1, rows: 64 },
  "sharp-rows-more-flipped": { heads: 1, group: 1, rows: 80, spare: 7 },
  "sharp-rows-few-checked": { heads: 1, group: 1, rows: 34 },
  "sharp-rows-three-heads": { heads: 3, group: 1, rows: 86, spare: 12 },
  "sharp-rows-grouped-heads": { heads: 1, group: 4, rows: 91, spare: 12 },
  "sharp-rows-most-checked": { heads: 1, group: 1, rows: 0.9, isShare: true, oneRow: true },
  "sharp-rows-all-checked": { heads: 1, group: 1, rows: 1, isShare: true, spare: 200 },
};
/** Sizes of the values, in turn: a power of two changes no certificate. */
const SIZES = [1, 64, 1 / 64];

/** Where the chance of a false certificate comes nearest to δ, whatever δ is. */
async function measure(
  { implementation, seed, on, n, delta, run }: RunContext,
  { heads, group, isShare, oneRow, spare = 0, ...check }: Check,
): Promise<number> {
  checkKeys(n, LEAST_ROWS, `the rows that are checked are a sample of at least ${LEAST_ROWS}`);
  const rows = isShare ? Math.round(check.rows * n) : check.rows,
    epsilon = oneRow ? 1.99 / Math.sqrt(n) : EPSILON;
  const sharp = sharpRows(n, heads, group, SIZES[run % SIZES.length]);
  const output = flipRows(sharp, justEnough(epsilon, n) + spare, seed);
  const request = { epsilon, delta, rows, seed, round: 0, certify: "bound" } as const;
  const before = largestError(sharp, output);
  const { certificate } = await on(async (backend) => {
    const geometry = await implementation.headGeometry(backend, sharp.problem, seed);
    return await implementation.certify(backend, sharp.problem, output, geometry, request);
  });
  const after = largestError(sharp, output);
  // Rows that were checked are right afterwards, and no others have changed.
  if (after > before) return Infinity;
  return certificate.holds ? after / epsilon : 0;
}

const common = {
  formula: "P has norm 1, rows of P V are ±1, ‖Att~ − Att‖ = 2√flipped > ε√n: P[certificate holds] <= δ",
  source: "Hoeffding 1963; estimators/certified/certificate.ts",
  measurement:
    "error left / (ε‖P‖‖V‖) where the certificate holds, else 0; infinite if the check has made the error larger",
  bound: 1,
  anySource: false,
  n: 1300,
  size: linearSize,
} as const;

/** The least favourable output: as few rows as make the claim false, each as wrong as can be. */
export const certificateSharpRows: Claim = {
  ...common,
  name: "certificate-sharp-rows",
  statement:
    "A certificate is false with probability at most δ where just enough rows lie on the far side, which a sample of rows is likeliest to miss",
  assumptions:
    `ε = ${EPSILON}; 34 to 91 rows of n checked, of one head, of three, or of four that share their keys; just more than ε²n/4 rows are flipped in one of them, or seven to twelve more, of which a check puts some right; or nine tenths of the rows are checked for one that is wrong, or all; by itself at a δ of a twentieth`,
  rule: { kind: "probability", allowed: 0.05 },
  cases: Object.keys(CHECKS).map((name) => ownCase(noInput(name))),
  // The probability is near δ, not near 0: that takes many.
  runs: 4000,
  standard: { n: 4096, families: ["sharp-rows", "sharp-rows-three-heads", "sharp-rows-grouped-heads"] },
  thorough: { n: 16384, families: ["sharp-rows", "sharp-rows-three-heads", "sharp-rows-grouped-heads"] },
  async run(context) {
    const measured = await measure(context, CHECKS[context.family]),
      onCurve = context.family === "sharp-rows";
    return { measured, ...(onCurve && context.run === 0 && { plot: { coverage: context.delta } }) };
  },
};

/** δ, rows that are checked for it, and runs that tell a rate of two thirds of δ from δ. */
const CURVE: readonly {
  readonly word: string;
  readonly delta: number;
  readonly rows: number;
  readonly runs: number;
  readonly from?: Claim["from"];
}[] = [
  { word: "quarter", delta: 0.25, rows: 33, runs: 1000 },
  { word: "tenth", delta: 0.1, rows: 51, runs: 2000, from: "standard" },
  { word: "hundredth", delta: 0.01, rows: 105, runs: 9000, from: "standard" },
];

/** The same along δ: with `certificate-sharp-rows` the points of a curve that must stay below the diagonal. */
export const certificateCoverage: readonly Claim[] = CURVE.map((
  { word, delta, from, rows, runs },
): Claim => ({
  ...common,
  name: `certificate-coverage-${word}`,
  statement:
    `At δ = ${delta} a certificate is false with probability at most δ where just enough rows lie on the far side`,
  assumptions: `ε = ${EPSILON}; ${rows} rows of n checked, about the fewest by which a certificate can hold`,
  rule: { kind: "probability", allowed: delta },
  ownDelta: true,
  from,
  cases: [ownCase(noInput("sharp-rows"))],
  runs,
  async run(context) {
    const measured = await measure(context, { heads: 1, group: 1, rows });
    return { measured, ...(context.run === 0 && { plot: { coverage: delta } }) };
  },
}));
