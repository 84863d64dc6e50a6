import type { HostAttention } from "../core/exact.ts";
import { ofHead } from "../core/of_head.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import type { ErrorSample } from "./error_sample.ts";
import type { Problem } from "../core/problem.ts";

/**
 * Rows of a head that were computed exactly, and had no part in a fit, with what the fit says of them. They are drawn uniformly from
 * the rows of their head, so that their errors tell those of the others. The exact rows stand in the method's output.
 */
export interface HeldOutRows {
  /** [rows]: which queries they are. */
  readonly picks: Uint32Array;
  /** [rows, valueFeatures]: what the method would have answered. */
  readonly output: Float32Array;
  /** [rows] */
  readonly logSumExp: Float32Array;
  /** [valueFeatures]: of the values of all keys. */
  readonly meanValue: Float32Array;
  /** Rows of the output that were not computed exactly, whose errors these tell. */
  readonly standFor: number;
}

/** Sums over all rows of some heads, estimated from those held out. */
export interface ErrorSums {
  /** Rows behind them. */
  readonly rows: number;
  /** Σ ‖Att~ − Att‖² */
  readonly error: number;
  /** Σ ‖Att‖² */
  readonly output: number;
  /** Σ ‖mean value − Att‖² over the rows that were not computed exactly: what knowing nothing of the queries would cost. */
  readonly spread: number;
  /** Of one head: what norms other than Frobenius' are estimated from. */
  readonly sample?: ErrorSample;
}

/** All of them together. */
export function totalOf(sums: readonly ErrorSums[]): ErrorSums {
  return sums.reduce(
    (a, b) => ({
      rows: a.rows + b.rows,
      error: a.error + b.error,
      output: a.output + b.output,
      spread: a.spread + b.spread,
    }),
    { rows: 0, error: 0, output: 0, spread: 0 },
  );
}

/** ‖Att~ − Att‖ / ‖Att‖ in Frobenius norm, as the sums have it. */
export function relativeError({ error, output }: ErrorSums): number {
  return error > 0 ? Math.sqrt(error / Math.max(output, Number.MIN_VALUE)) : 0;
}

/** Up to this share of the norm of the output an error does no harm, however little there is to tell from the mean value. */
const HARMLESS = 0.05;
/** Beyond this share more of the output is wrong than right, in squares. */
const MOSTLY_WRONG = Math.SQRT1_2;
/** Beyond this share an answer that is kept is called rough: few rows tell the error, which may be half as large again. */
const ROUGH = 0.3;
/** Of what the mean value leaves, in squares, an answer must explain so much to be worth having. */
const LEAST_EXPLAINED = 0.25;

/** Whether an answer is no better than none: about as far off as the mean value, or wrong for the most part. */
export function isUseless(sums: ErrorSums): boolean {
  const error = relativeError(sums);
  return error > HARMLESS && (error > MOSTLY_WRONG || sums.error > (1 - LEAST_EXPLAINED) * sums.spread);
}

/** Whether an answer is off by more than a share of the output's norm, or useless. */
export function isRough(sums: ErrorSums, share: number): boolean {
  return relativeError(sums) > share || isUseless(sums);
}

/** Whether most heads fail. */
export function mostly(heads: readonly ErrorSums[], fails: (sums: ErrorSums) => boolean): boolean {
  return heads.filter(fails).length > heads.length / 2;
}

/** What rows held out tell of an answer, in words. */
export function describeErrors(sums: ErrorSums): string {
  const digits = (x: number) => x.toPrecision(2);
  return `an error of ${
    digits(relativeError(sums))
  } of the output's norm by ${sums.rows} rows held out, where the mean value errs by ${
    digits(relativeError({ ...sums, error: sums.spread }))
  }`;
}

/** In which heads an answer is useless, or else rough, and how far off it is there; null if in none. */
export function describeDoubts(method: string, heads: readonly ErrorSums[]): string | null {
  const useless = heads.filter(isUseless);
  const doubtful = useless.length > 0 ? useless : heads.filter((sums) => relativeError(sums) > ROUGH);
  if (doubtful.length === 0) return null;
  const where = heads.length === 1 ? "" : ` in ${doubtful.length} of ${heads.length} heads`;
  return `${method} is ${useless.length > 0 ? "of little use" : "rough"}${where}: ${
    describeErrors(totalOf(doubtful))
  }; use method exact or a larger budget`;
}

/** What the held-out rows of a head tell, from their exact outputs [rows, valueFeatures]. */
export function sumsOfHead(
  { output, meanValue, standFor }: Pick<HeldOutRows, "output" | "meanValue" | "standFor">,
  exact: Float32Array,
  queries: number,
): ErrorSums {
  const width = meanValue.length, rows = exact.length / width, each = standFor / rows;
  const errors = new Float64Array(exact.length), outputs = new Float64Array(exact.length);
  const toErrors = Math.sqrt(each), toOutputs = Math.sqrt(queries / rows);
  let error = 0, squares = 0, spread = 0;
  for (let at = 0; at < exact.length; at++) {
    const x = exact[at], off = output[at] - x;
    error += off ** 2;
    spread += (meanValue[at % width] - x) ** 2;
    squares += x * x;
    errors[at] = toErrors * off;
    outputs[at] = toOutputs * x;
  }
  return {
    rows,
    error: error * each,
    output: squares * queries / rows,
    spread: spread * each,
    sample: { width, errors, outputs },
  };
}

/** What the held-out rows of each head tell, from the method's result. */
export function sumsOfHeads(
  { queries, valueFeatures: width }: Problem,
  heldOut: readonly HeldOutRows[],
  result: HostAttention,
): ErrorSums[] {
  return heldOut.map((own, head) =>
    sumsOfHead(own, pickRows(ofHead(result.output, head, heldOut.length), width, own.picks), queries)
  );
}
