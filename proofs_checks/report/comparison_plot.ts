import { type ComparisonReport, isMeasured, type MeasuredPoint } from "../comparison/report.ts";
import { colour, log, type Plot } from "./plot.ts";
import { SERIES_COLOURS } from "./render.ts";

/** Pixels that are left free around the points. */
const PADDING = 24;

/** Error against time, one series a method; undefined where no method errs, or too many do. */
export function comparisonPlot({ points }: ComparisonReport): Plot | undefined {
  const measured = points.filter(isMeasured).map((point) => ({ ...point, ms: 1000 * point.seconds }));
  // A logarithmic axis has no place for an error of zero: exact attention is a line at its time.
  const shown = measured.filter(({ error }) => error > 0 && Number.isFinite(error));
  const exact = measured.filter(({ method }) => method === "exact");
  // With more methods than colours only panels tell them apart.
  if (shown.length === 0 || new Set(shown.map(({ method }) => method)).size > SERIES_COLOURS.length) {
    return undefined;
  }
  const front = shown.filter((point) => point.front);
  const x = axis("ms", "time in ms", measured.map(({ ms }) => ms));
  const y = axis("error", "error ‖Att~−Att‖/‖Att‖", shown.flatMap(errorsOf));
  return {
    title: "Error against time",
    caption:
      "Down and left is better. Points are medians, thin lines reach to the worst seed, and a line joins the budgets of one method. The broad band " +
      "joins the front, the points to which no other is both faster and more accurate; exact attention, which has no error, is the dashed line.",
    aspect: [0.55, 1.35],
    spec: (narrow) => ({
      layer: [
        {
          data: { values: front },
          mark: {
            type: "line",
            strokeWidth: 11,
            strokeCap: "round",
            strokeJoin: "round",
            color: "var(--h2)",
            opacity: 0.75,
            point: { filled: true, size: 220, color: "var(--h2)", opacity: 0.75 },
          },
          encoding: { x, y, order: { field: "ms", type: "quantitative" } },
        },
        {
          data: { values: exact },
          mark: { type: "rule", color: "var(--muted)", strokeDash: [5, 4] },
          encoding: { x },
        },
        {
          data: { values: exact },
          mark: { type: "text", text: "exact", angle: 270, dy: -8, y: PADDING },
          encoding: { x },
        },
        {
          data: { values: shown },
          mark: { type: "rule", strokeWidth: 1 },
          encoding: { x, y, y2: { field: "worst_error" }, color: colour("method", narrow) },
        },
        {
          data: { values: shown },
          mark: { type: "line" },
          encoding: {
            x,
            y,
            color: colour("method", narrow),
            order: { field: "budget", type: "quantitative" },
          },
        },
        {
          data: { values: shown },
          mark: { type: "point", filled: true, opacity: 1, size: narrow ? 50 : 70 },
          encoding: {
            x,
            y,
            color: colour("method", narrow),
            shape: {
              field: "budget",
              type: "nominal",
              legend: { title: "budget", orient: "top", symbolFillColor: "var(--ink)", symbolStrokeWidth: 0 },
            },
          },
        },
      ],
    }),
  };
}

const errorsOf = ({ error, worst_error: worst }: MeasuredPoint) => [error, worst!];

/** A logarithmic axis with a tick for every digit where there is less than a decade to see, and padding. */
function axis(field: string, title: string, values: readonly number[]): object {
  const least = Math.min(...values), most = Math.max(...values);
  const digits = most / least < 10 ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9] : most / least < 300 ? [1, 2, 5] : [1];
  const decades = Array.from({ length: 25 }, (_, at) => at - 12);
  // 7e-3 rather than 7 * 10 ** -3, which is 0.007000000000000001.
  const ticks = decades.flatMap((decade) => digits.map((digit) => Number(`${digit}e${decade}`)));
  return {
    ...log(field, title, { values: ticks }),
    scale: { type: "log", nice: false, padding: PADDING },
  };
}
