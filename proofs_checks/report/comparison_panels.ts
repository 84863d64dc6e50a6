import { type ComparisonReport, isMeasured, type MeasuredPoint } from "../comparison/report.ts";
import { log, type Plot } from "./plot.ts";

/** Panels beside each other on a wide page and on a phone, and their size there in pixels. */
const COLUMNS = { wide: 5, narrow: 2 }, SIZE = { wide: 165, narrow: 125 };

/** Error against time, a panel for each method; undefined where no method errs. */
export function timePanels(report: ComparisonReport): Plot | undefined {
  return panels(report, {
    title: "Error against time, method by method",
    field: "ms",
    axis: "time in ms",
    cost: ({ seconds }) => 1000 * seconds,
  });
}

/** Error against evaluations, a panel for each method; undefined where no method errs. */
export function evaluationPanels(report: ComparisonReport): Plot | undefined {
  return panels(report, {
    title: "Error against key evaluations, method by method",
    field: "evaluations",
    axis: "evaluations per query",
    cost: ({ evaluations_per_query: evaluations }) => evaluations!,
  });
}

/** Error against memory, a panel for each method; undefined where memory was not measured, or no method errs. */
export function memoryPanels(report: ComparisonReport): Plot | undefined {
  const known = report.points.filter(({ peak_bytes: bytes }) => bytes !== null && bytes > 0);
  if (known.length === 0) return undefined;
  return panels({ ...report, points: known }, {
    title: "Error against memory, method by method",
    field: "megabytes",
    axis: "MB",
    cost: ({ peak_bytes: bytes }) => bytes! / 1e6,
  });
}

interface Costs {
  readonly title: string;
  readonly field: string;
  readonly axis: string;
  readonly cost: (point: MeasuredPoint) => number;
}

/** Each panel has all points in grey, and its own method's in colour: twenty methods stay readable so. */
function panels(
  { points, mean_value_error: meanValue }: ComparisonReport,
  { title, field, axis, cost }: Costs,
): Plot | undefined {
  const all = points.filter(isMeasured).map((point) => ({ ...point, [field]: cost(point) }));
  // A logarithmic axis has no place for an error of zero.
  const shown = all.filter(({ error, budget }) => budget !== null && error > 0 && Number.isFinite(error));
  const exact = all.filter(({ method }) => method === "exact"),
    names = [...new Set(shown.map(({ method }) => method))];
  if (shown.length === 0) return undefined;
  const x = {
    ...log(field, axis, { tickCount: 3, values: undefined, grid: false }),
    scale: { type: "log", nice: false, padding: 8 },
  };
  const y = { ...log("error", "error", { grid: false }), scale: { type: "log", nice: false, padding: 8 } };
  const values = names.flatMap((panel) => [
    ...shown.filter(({ method }) => method === panel).map((point) => ({
      ...pick(point, field),
      panel,
      own: true,
    })),
    ...exact.map((point) => ({ [field]: (point as Record<string, unknown>)[field], panel, exact: true })),
    ...meanValue > 0 ? [{ error: meanValue, panel, mean: true }] : [],
  ]);
  const own = "datum.own === true";
  return {
    title,
    caption:
      "Down and left is better. Every panel shows all points in grey, and those of its method in colour, joined in the order of their budgets. The upright " +
      "dashed line is exact attention, which has no error; the level one is the mean value, which knows no query.",
    aspect: [0, 0],
    spec: (narrow) => {
      const size = narrow ? SIZE.narrow : SIZE.wide;
      return {
        // A facet has the size of its panels.
        width: undefined,
        height: undefined,
        autosize: { type: "pad" },
        data: { values },
        facet: {
          field: "panel",
          type: "nominal",
          title: null,
          sort: names,
          header: { labelColor: "var(--ink)", labelFontSize: 12 },
        },
        columns: narrow ? COLUMNS.narrow : COLUMNS.wide,
        spacing: narrow ? 12 : 18,
        spec: {
          width: size,
          height: size,
          layer: [
            rule("exact", { x }),
            rule("mean", { y }),
            {
              // Data of its own: every panel holds the points of all methods.
              data: { values: shown.map((point) => pick(point, field)) },
              mark: { type: "point", filled: true, size: 14, color: "var(--muted)", opacity: 0.35 },
              encoding: { x, y },
            },
            {
              transform: [{ filter: own }],
              mark: { type: "line", color: "var(--s0)" },
              encoding: { x, y, order: { field: "budget", type: "quantitative" } },
            },
            {
              transform: [{ filter: own }],
              mark: { type: "point", filled: true, opacity: 1, size: 40, color: "var(--s0)" },
              encoding: { x, y },
            },
          ],
        },
      };
    },
  };
}

function rule(kind: string, encoding: object): object {
  return {
    transform: [{ filter: `datum.${kind} === true` }],
    mark: { type: "rule", color: "var(--muted)", strokeDash: [5, 4] },
    encoding,
  };
}

function pick(point: object, field: string): Record<string, unknown> {
  const { error, budget, [field]: cost } = point as Record<string, unknown>;
  return { error, budget, [field]: cost };
}
