import type { ComparisonsReport } from "../proofs_checks/comparison/report.ts";
import { comparisonTable } from "./compare_table.ts";
import { formatNumber, formatTable } from "./table.ts";

const HEADS = [
  "method",
  "mean rank",
  "best",
  "error : least",
  "speed-up",
  "evaluations : budget",
  "on front",
  "by count",
  "of",
  "exact",
  "refused",
];

/** What `compare` says of several inputs: each by itself, then where each method stands. */
export function comparisonsText({ comparisons, ranks, interrupted }: ComparisonsReport): string {
  const number = (value: number | null) => value === null ? "–" : formatNumber(value);
  const rows = ranks.map((rank) => [
    rank.method,
    ...[number(rank.mean_rank), String(rank.best), number(rank.error_to_best), number(rank.speedup)],
    ...[number(rank.evaluations_to_budget), String(rank.on_front), String(rank.on_front_of_evaluations)],
    ...[String(rank.measured), String(rank.exact), String(rank.refused)],
  ]);
  const each = comparisons.map((comparison) =>
    `${comparison.problem.workload}\n\n${comparisonTable(comparison)}\n`
  );
  return [
    ...each,
    `${comparisons.length} inputs${interrupted ? ", INTERRUPTED" : ""}:`,
    "",
    formatTable([HEADS, ...rows]),
    "",
    "Rank by error among the methods at the same input and budget; geometric means of ratios. On front: of error and time; by count: of",
    "error and key evaluations. A method whose evaluations are more than its budget does not keep to it.",
    "",
  ].join("\n");
}
