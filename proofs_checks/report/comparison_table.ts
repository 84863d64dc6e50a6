import { type ComparisonReport, isMeasured } from "../comparison/report.ts";
import { escapeHtml, shortNumber } from "./html.ts";

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
export function comparisonTable({ points }: ComparisonReport): string {
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
    ];
    const sign = front
      ? `<td class="holds" title="no other point is both faster and more accurate">●</td>`
      : point.refused !== null
      ? `<td class="inconclusive" title="${escapeHtml(point.refused)}">refused</td>`
      : "<td></td>";
    return `<tr><td>${escapeHtml(name)}</td><td class="number">${budget ?? "–"}</td>${sign}${
      numbers.map((text) => `<td class="number">${text}</td>`).join("")
    }</tr>`;
  });
  const refusals = points.filter(({ refused }) => refused !== null).map(({ method, budget, refused }) =>
    `<div class="case inconclusive"><b>${escapeHtml(method)}</b> at ${budget}: ${escapeHtml(refused!)}</div>`
  );
  return `<div class="scroll" tabindex="0"><table class="all"><tr>${
    HEADS.map((head) => `<th>${head}</th>`).join("")
  }</tr>${rows.join("\n")}</table></div>\n${refusals.join("\n")}`;
}
