import { type ComparisonReport, isMeasured, type MethodRank } from "../comparison/report.ts";
import { type Html, html, shortNumber } from "./html.ts";
import { numberCell, table } from "./table.ts";

const HEADS = [
  "method",
  "budget",
  "front",
  "ms",
  "speed-up",
  "error",
  "worst error",
  "key evaluations per query",
  "MB",
];

/** Every method at every budget, and below it what was refused. */
export function comparisonTable({ points }: ComparisonReport): Html {
  const rows = points.map((point) => {
    const { method, ran, budget, front } = point;
    const name = ran === null || ran === method ? method : `${method} → ${ran}`;
    const evaluations = point.evaluations_per_query;
    const numbers = [
      shortNumber(isMeasured(point) ? 1000 * point.seconds : null),
      ...[point.speedup, point.error, point.worst_error].map(shortNumber),
      evaluations !== null && evaluations >= 1000
        ? String(Math.round(evaluations))
        : shortNumber(evaluations),
      shortNumber(point.peak_bytes === null ? null : point.peak_bytes / 1e6),
    ];
    const sign = front
      ? html`<td class="holds" title="no other point is both faster and more accurate">●</td>`
      : point.refused !== null
      ? html`<td class="inconclusive" title="${point.refused}">refused</td>`
      : html`<td></td>`;
    return html`
      <tr><td>${name}</td>${numberCell(budget ?? "–")}${sign}${numbers.map(numberCell)}</tr>
    `;
  });
  const refusals = points.filter(({ refused }) => refused !== null).map(({ method, budget, refused }) =>
    html`
      <div class="case inconclusive"><b>${method}</b> at ${budget}: ${refused}</div>
    `
  );
  return table(HEADS, rows, refusals);
}

const RANK_HEADS = [
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

/** Where each method stands over several inputs. */
export function rankTable(ranks: readonly MethodRank[]): Html {
  const rows = ranks.map((rank) => {
    const numbers = [
      ...[shortNumber(rank.mean_rank), String(rank.best), shortNumber(rank.error_to_best)],
      ...[shortNumber(rank.speedup), shortNumber(rank.evaluations_to_budget)],
      ...[rank.on_front, rank.on_front_of_evaluations, rank.measured, rank.exact, rank.refused].map(String),
    ];
    return html`
      <tr><td>${rank.method}</td>${numbers.map(numberCell)}</tr>
    `;
  });
  return table(RANK_HEADS, rows);
}
