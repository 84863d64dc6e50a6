import type { ScalingReport } from "../scaling/report.ts";
import { escapeHtml, shortNumber } from "./html.ts";

/** Slopes, crossovers and memory of every series. */
export function scalingTable({ series }: ScalingReport): string {
  const rows = series.map((one) => {
    const { workload, method, mode, slope, slope_interval: interval, points, crossover } = one;
    const measured = points.filter(({ extrapolated }) => !extrapolated);
    const last = measured[measured.length - 1];
    const cells = [
      shortNumber(slope),
      interval ? `${shortNumber(interval[0])} to ${shortNumber(interval[1])}` : "–",
      shortNumber(one.evaluations_slope),
      shortNumber(one.memory_slope),
      crossover === null ? "–" : String(Math.round(crossover)),
      last ? `${last.n}: ${shortNumber(last.seconds)} s` : "–",
      last ? shortNumber(last.error) : "–",
    ];
    return `<tr><td>${escapeHtml(workload)}</td><td>${escapeHtml(mode)}</td><td>${escapeHtml(method)}</td>${
      cells.map((cell) => `<td class="number">${cell}</td>`).join("")
    }</tr>`;
  });
  const heads = [
    "workload",
    "mode",
    "method",
    "slope of time",
    "95 %",
    "of evaluations",
    "of memory",
    "faster than exact from n",
    "largest n measured",
    "error there",
  ];
  return `<div class="scroll" tabindex="0"><table class="all"><tr>${
    heads.map((head) => `<th>${head}</th>`).join("")
  }</tr>${rows.join("\n")}</table></div>`;
}
