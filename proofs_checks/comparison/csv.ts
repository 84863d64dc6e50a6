import type { ComparisonReport } from "./report.ts";

/** The columns: a point, and the input that it belongs to. */
const HEADS = [
  ...["workload", "n_q", "n_k", "d", "d_v", "heads", "causal", "device"],
  ...["method", "ran", "budget", "seconds", "speedup", "evaluations_per_query"],
  ...["error", "worst_error", "product_error", "peak_bytes", "front", "front_of_evaluations", "refused"],
] as const;

/** Every point as a line of comma-separated values (RFC 4180), with a line of heads; what was not measured is empty. */
export function comparisonCsv(comparisons: readonly ComparisonReport[]): string {
  const lines = comparisons.flatMap(({ problem, device, points }) =>
    points.map((point) => {
      const fields: Readonly<Record<string, unknown>> = { ...problem, device, ...point };
      return HEADS.map((head) => field(fields[head]));
    })
  );
  return [HEADS, ...lines].map((line) => `${line.join(",")}\r\n`).join("");
}

function field(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
