import type { ScalingReport } from "../scaling/report.ts";
import { type Html, html, shortNumber } from "./html.ts";
import { numberCell, table } from "./table.ts";

/** Slopes, crossovers and memory of every series. */
export function scalingTable({ series }: ScalingReport): Html {
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
    return html`
      <tr><td>${workload}</td><td>${mode}</td><td>${method}</td>${cells.map(numberCell)}</tr>
    `;
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
  return table(heads, rows);
}
