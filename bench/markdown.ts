import { sampleQuantile } from "../proofs_checks/statistics/quantile.ts";

/** A Markdown table; `deno fmt` aligns its columns. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A number with so many significant digits, without an exponent where people would not write one. */
export function digits(value: number, count = 2): string {
  if (!Number.isFinite(value)) return "–";
  const short = Number(value.toPrecision(count)), size = Math.abs(short);
  return size !== 0 && (size < 1e-3 || size >= 1e7) ? short.toExponential() : String(short);
}

/** The median of a sample. */
export const median = (values: ArrayLike<number>): number => sampleQuantile(values, 0.5);

/** `12 (11–14)`: median and range. */
export function medianAndRange(
  values: readonly number[],
  format: (value: number) => string = digits,
): string {
  if (values.length === 0) return "–";
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

/** Median and range of seconds, in milliseconds. */
export function millisecondsOf(seconds: readonly number[]): string {
  return medianAndRange(seconds, (value) => digits(1e3 * value, 3));
}

/** The ratio of two interleaved series, round by round. */
export function ratiosOf(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, round) => value / below[round]);
}
