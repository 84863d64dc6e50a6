import { rankCells, rankColumns } from "../proofs_checks/comparison/rank_columns.ts";
import type { ComparisonsReport } from "../proofs_checks/comparison/report.ts";
import { comparisonTable } from "./compare_table.ts";
import { formatNumber, formatTable } from "./table.ts";

/** What `compare` says of several inputs: each by itself, then where each method stands. */
export function comparisonsText({ comparisons, ranks, interrupted }: ComparisonsReport): string {
  const rows = ranks.map((rank) => [rank.method, ...rankCells(rank, formatNumber)]);
  const each = comparisons.map((comparison) =>
    `${comparison.problem.workload}\n\n${comparisonTable(comparison)}\n`
  );
  return [
    ...each,
    `${comparisons.length} inputs${interrupted ? ", INTERRUPTED" : ""}:`,
    "",
    formatTable([["method", ...rankColumns.map(({ head }) => head)], ...rows]),
    "",
    "Rank by error among the methods at the same input and budget; geometric means of ratios. On front: of error and time; by count: of",
    "error and key evaluations. A method whose evaluations are more than its budget does not keep to it.",
    "",
  ].join("\n");
}
