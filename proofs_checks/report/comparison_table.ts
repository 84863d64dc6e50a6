import { type ComparisonReport, isMeasured, type MethodRank } from "../comparison/report.ts";
import { rankCells, rankColumns } from "../comparison/rank_columns.ts";
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
];

/** Every method at every budget, and below it what was refused. */
export function comparisonTable({ points }: ComparisonReport): Html {
  const memory = points.some(({ peak_bytes: bytes }) => bytes !== null);
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
      ...memory ? [shortNumber(point.peak_bytes === null ? null : point.peak_bytes / 1e6)] : [],
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
  return table(memory ? [...HEADS, "MB"] : HEADS, rows, refusals);
}

/** Where each method stands over several inputs. */
export function rankTable(ranks: readonly MethodRank[]): Html {
  const rows = ranks.map((rank) =>
    html`
      <tr><td>${rank.method}</td>${rankCells(rank, shortNumber).map(numberCell)}</tr>
    `
  );
  return table(["method", ...rankColumns.map(({ head }) => head)], rows);
}
