import type { MethodRank } from "./report.ts";

/** A column of the table of ranks: its head, and its number of a method; null where there is none. */
export interface RankColumn {
  readonly head: string;
  readonly of: (rank: MethodRank) => number | null;
}

/** How people are to read the table of ranks, in lines. */
export const RANK_WORDS: readonly string[] = [
  "Rank by error among the methods at the same input and budget; geometric means of ratios. On front: of error and time; by count: of",
  "error and key evaluations. A method whose evaluations are more than its budget does not keep to it.",
];

/** What the tables of ranks say of a method, behind its name. */
export const rankColumns: readonly RankColumn[] = [
  { head: "mean rank", of: (rank) => rank.mean_rank },
  { head: "best", of: (rank) => rank.best },
  { head: "error : least", of: (rank) => rank.error_to_best },
  { head: "speed-up", of: (rank) => rank.speedup },
  { head: "evaluations : budget", of: (rank) => rank.evaluations_to_budget },
  { head: "on front", of: (rank) => rank.on_front },
  { head: "by count", of: (rank) => rank.on_front_of_evaluations },
  { head: "of", of: (rank) => rank.measured },
  { head: "exact", of: (rank) => rank.exact },
  { head: "refused", of: (rank) => rank.refused },
];

/** The cells of a method behind its name: counts whole, other numbers as a table writes them. */
export function rankCells(rank: MethodRank, format: (value: number) => string): string[] {
  return rankColumns.map(({ of }) => of(rank)).map((value) =>
    value === null ? "–" : Number.isInteger(value) ? String(value) : format(value)
  );
}
