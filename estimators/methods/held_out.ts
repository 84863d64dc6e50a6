import type { HostAttention } from "../core/exact.ts";
import type { Problem } from "../core/problem.ts";

/**
 * Rows that were computed exactly, and had no part in a fit, with what the fit says of them. They are drawn uniformly from
 * the rows of their head, so that their errors tell those of the others. The exact rows stand in the method's output.
 */
export interface HeldOutRows {
  /** Rows of a head. */
  readonly rows: number;
  /** [heads, rows]: which queries they are. */
  readonly picks: Uint32Array;
  /** [heads, rows, valueFeatures]: what the method would have answered. */
  readonly output: Float32Array;
  /** [heads, rows] */
  readonly logSumExp: Float32Array;
  /** [heads, valueFeatures]: of the values of all keys. */
  readonly meanValue: Float32Array;
  /** [heads]: rows of the output that were not computed exactly, whose errors these tell. */
  readonly standFor: Uint32Array;
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

/** Beyond this share another method is worth trying: measured, a tree of the keys errs less than a coreset there (`docs/theory.md`, 5.1). */
const WORTH_ANOTHER = 0.12;

/** Whether an answer is so far off that another method may well do better. */
export function isRough(sums: ErrorSums): boolean {
  return relativeError(sums) > WORTH_ANOTHER || isUseless(sums);
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

/** What one head's held-out rows tell, from their exact outputs [rows, valueFeatures]. */
export function sumsOfHead(
  { rows, output, meanValue, standFor }: Pick<HeldOutRows, "rows" | "output" | "meanValue" | "standFor">,
  exact: Float32Array,
  head: number,
  queries: number,
): ErrorSums {
  const width = exact.length / rows;
  let error = 0, squares = 0, spread = 0;
  for (let at = 0; at < exact.length; at++) {
    const x = exact[at];
    error += (output[head * exact.length + at] - x) ** 2;
    spread += (meanValue[head * width + at % width] - x) ** 2;
    squares += x * x;
  }
  const each = standFor[head] / rows;
  return { rows, error: error * each, output: squares * queries / rows, spread: spread * each };
}

/** What the held-out rows of each head tell, from the method's result. */
export function sumsOfHeads(
  { queries, valueFeatures: width }: Problem,
  heldOut: HeldOutRows,
  result: HostAttention,
): ErrorSums[] {
  const { rows, picks, standFor } = heldOut, exact = new Float32Array(rows * width);
  return Array.from(standFor, (_, head) => {
    for (let at = 0; at < rows; at++) {
      const row = head * queries + picks[head * rows + at];
      exact.set(result.output.subarray(row * width, (row + 1) * width), at * width);
    }
    return sumsOfHead(heldOut, exact, head, queries);
  });
}

/** Heads of several results, one behind the other; undefined if any of them held out nothing. */
export function joinHeldOut(parts: readonly (HeldOutRows | undefined)[]): HeldOutRows | undefined {
  if (parts.length === 1) return parts[0];
  if (parts.length === 0 || !parts.every((part) => part !== undefined)) return undefined;
  const joined = <Name extends "output" | "logSumExp" | "meanValue">(name: Name) =>
    join(parts.map((part) => part[name]), (length) => new Float32Array(length));
  const words = <Name extends "picks" | "standFor">(name: Name) =>
    join(parts.map((part) => part[name]), (length) => new Uint32Array(length));
  return {
    rows: parts[0].rows,
    picks: words("picks"),
    output: joined("output"),
    logSumExp: joined("logSumExp"),
    meanValue: joined("meanValue"),
    standFor: words("standFor"),
  };
}

function join<Data extends Float32Array | Uint32Array>(
  parts: readonly Data[],
  make: (length: number) => Data,
): Data {
  const whole = make(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
