import { RANK_WORDS, rankCells, rankColumns } from "../proofs_checks/comparison/rank_columns.ts";
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
    ...RANK_WORDS,
    "",
  ].join("\n");
}
