import type { PlotPoint, VerificationReport } from "../engine/report.ts";
import type { ScalingReport } from "../scaling/report.ts";
import { type PlotSpec, SERIES_COLOURS } from "./render.ts";
import { CELLS, type MatrixPicture } from "./sorted_matrix.ts";

/** A plot of the page. */
export interface Plot {
  readonly title: string;
  /** What is to be seen, for readers and for those who cannot see it. */
  readonly caption: string;
  readonly spec: (narrow: boolean) => PlotSpec;
  /** Height over width on a wide page and on a narrow one. */
  readonly aspect?: readonly [number, number];
}

const DECADES = Array.from({ length: 13 }, (_, at) => 10 ** (at - 8));

const log = (field: string, title: string, extra: object = {}) => ({
  field,
  type: "quantitative",
  scale: { type: "log", nice: false },
  axis: { title, format: "~g", values: [...DECADES, ...DECADES.map((x) => 3 * x)], ...extra },
});

const colour = (field: string, narrow: boolean, title: string | null = null) => ({
  field,
  type: "nominal",
  scale: { range: SERIES_COLOURS },
  legend: { title, columns: narrow ? 2 : 6 },
});

/** Ticks of sizes: powers of two, as people write them. */
const sizeAxis = (sizes: readonly number[], narrow: boolean) => ({
  title: "n",
  values: sizes.filter((n) => !narrow || Math.log2(n) % 2 === 0),
  labelExpr: "datum.value >= 1024 ? format(datum.value / 1024, '~g') + 'k' : format(datum.value, '~g')",
});

/** Error of the practical methods over budgets, medians over the runs. */
export function errorAgainstBudget({ points }: VerificationReport): Plot | undefined {
  const values = points.filter(({ claim }) => claim === "practical-slope" || claim === "residual-slope")
    .flatMap((point) =>
      Object.entries(point).filter(([name]) => name.startsWith("error_")).map(([name, error]) => ({
        method: point.claim === "practical-slope" ? "practical" : "residual",
        family: point.family,
        budget: Number(name.slice("error_".length)),
        error,
      }))
    );
  if (values.length === 0) return undefined;
  return {
    title: "Error against budget",
    caption:
      "Median error relative to ‖P‖‖V‖ over keys compared with each query, blocks and samples together, n = 384. " +
      "A slope of −½ is that of plain sampling.",
    aspect: [0.5, 1.15],
    spec: (narrow) => ({
      data: { values },
      mark: { type: "line", point: true },
      encoding: {
        x: log("budget", "keys per query", { values: [24, 48, 96, 192] }),
        y: { ...log("error", "error / (‖P‖‖V‖)"), aggregate: "median" },
        color: colour("family", narrow),
        strokeDash: { field: "method", type: "nominal", legend: { title: null, orient: "top" } },
      },
    }),
  };
}

/** Smaller errors are left out of the scatter, and of each case no more points are shown than would hide each other. */
const LEAST_ERROR = 1e-3, MOST_POINTS = 8;

/** Keeps so many points of each case. */
function upTo(most: number): (point: PlotPoint) => boolean {
  const seen = new Map<string, number>();
  return ({ claim, family }) => {
    const count = (seen.get(`${claim} ${family}`) ?? 0) + 1;
    seen.set(`${claim} ${family}`, count);
    return count <= most;
  };
}

/** Certified against true errors. */
export function certificateScatter({ points }: VerificationReport): Plot | undefined {
  const values = points.filter((point: PlotPoint) =>
    Number(point.certified) > 0 && Number(point.error) > LEAST_ERROR &&
    Number.isFinite(Number(point.certified))
  ).filter(upTo(MOST_POINTS)).map(({ claim, family, error, certified }) => ({
    family,
    error: Number(error),
    certified: Number(certified),
    output: {
      "certificate-approximation": "practical KDEformer",
      "certificate-spoilt-rows": "rows thrown far off",
    }[
      claim
    ] ?? (claim === "certificate-moved-rows" ? "all rows moved" : "attention() with epsilon"),
  }));
  if (values.length === 0) return undefined;
  const least = Math.min(...values.map(({ error }) => error)),
    most = Math.max(...values.map(({ certified }) => certified));
  return {
    title: "Certified against true error",
    caption:
      "Each point is one certificate; both errors relative to ‖P‖‖V‖. A point below the line is a bound that was exceeded, which δ = 0.25 " +
      "allows in a quarter of the runs. The distance above the line is what not having seen every row costs.",
    aspect: [0.55, 1.2],
    spec: (narrow) => ({
      layer: [
        {
          data: { values: [{ x: least, y: least }, { x: most, y: most }] },
          mark: { type: "line", color: "var(--muted)", strokeDash: [4, 4], clip: true },
          encoding: { x: log("x", "true error"), y: log("y", "certified error") },
        },
        {
          data: { values },
          mark: { type: "point", filled: true, opacity: 0.55, size: narrow ? 16 : 26 },
          encoding: {
            x: log("error", "true error"),
            y: log("certified", "certified error"),
            color: { ...colour("output", narrow), legend: { title: null, columns: narrow ? 1 : 4 } },
          },
        },
      ],
    }),
  };
}

/** Where sub-quadratic attention ends. */
export function hardnessCurve({ points, results }: VerificationReport): Plot | undefined {
  const values = points.filter(({ claim, logitShare }) =>
    claim === "hardness-boundary" && logitShare !== undefined
  );
  const bound = results.find(({ claim }) => claim === "hardness-boundary")?.bound;
  if (values.length === 0) return undefined;
  return {
    title: "The hardness boundary",
    caption:
      "Error of the practical KDEformer at a sixth of the keys per query as the largest logit grows through ln n. The line is the bound of the " +
      "claim, which is expected to be refuted on the right.",
    aspect: [0.4, 0.9],
    spec: () => ({
      layer: [
        {
          data: { values },
          mark: { type: "point", filled: true, opacity: 0.5, color: SERIES_COLOURS[0] },
          encoding: {
            x: log("logitShare", "largest logit / ln n", { values: [0.125, 0.25, 0.5, 1, 2, 3] }),
            y: { field: "error", type: "quantitative", axis: { title: "error / (‖P‖‖V‖)" } },
          },
        },
        {
          data: { values },
          mark: { type: "line", color: SERIES_COLOURS[0] },
          encoding: {
            x: log("logitShare", "largest logit / ln n", { values: [0.125, 0.25, 0.5, 1, 2, 3] }),
            y: { field: "error", aggregate: "median", type: "quantitative" },
          },
        },
        {
          data: { values: [{ bound }] },
          mark: { type: "rule", color: "var(--bad)", strokeDash: [4, 4] },
          encoding: { y: { field: "bound", type: "quantitative" } },
        },
      ],
    }),
  };
}

/** Verdict margins at a glance, one mark a case. */
export function margins({ results }: VerificationReport): Plot {
  const values = results.filter(({ margin }) => Number.isFinite(margin)).map((
    { claim, family, margin, verdict, expected },
  ) => ({
    claim,
    family,
    verdict: verdict === "refuted" && expected === "refuted" ? "refuted, as expected" : verdict,
    margin: Math.max(-2, Math.min(1, margin)),
  }));
  return {
    title: "How far inside its bound each claim is",
    caption: "One mark for each family: 1 is far inside, 0 on the bound, negative outside; cut off at −2.",
    aspect: [0.95, 2.6],
    spec: (narrow) => ({
      data: { values },
      mark: { type: "tick", thickness: 2, size: narrow ? 9 : 12 },
      encoding: {
        x: { field: "margin", type: "quantitative", axis: { title: "margin", orient: "top" } },
        y: {
          field: "claim",
          type: "nominal",
          sort: null,
          axis: {
            title: null,
            labelLimit: narrow ? 190 : 400,
            labelFontSize: narrow ? 10 : 12,
            labelOverlap: false,
          },
        },
        color: {
          field: "verdict",
          type: "nominal",
          scale: {
            domain: ["holds", "refuted, as expected", "inconclusive", "refuted"],
            range: ["var(--good)", "var(--s0)", "var(--unsure)", "var(--bad)"],
          },
          legend: { title: null },
        },
      },
    }),
  };
}

/** Time over n, one plot for each workload. */
export function scalingPlots({ series, epsilon, budget }: ScalingReport): Plot[] {
  const workloads = [...new Set(series.map(({ workload }) => workload))];
  return workloads.map((workload) => {
    const own = series.filter((one) => one.workload === workload);
    const values = own.flatMap(({ mode, points }) =>
      points.map(({ n, seconds, extrapolated, fell_back: fellBack }) => ({
        n,
        seconds,
        mode: mode === "exact"
          ? "exact"
          : mode === "fixed-budget"
          ? "fixed budget"
          : `certified ε = ${epsilon}`,
        kind: extrapolated ? "extrapolated" : fellBack ? "exact after all" : "measured",
      }))
    );
    const slopes = own.filter(({ slope }) => slope !== null).map((
      { mode, slope, slope_interval: interval },
    ) =>
      `${mode} n^${slope!.toFixed(2)}${
        interval ? ` (${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})` : ""
      }`
    );
    const crossovers = own.filter(({ crossover }) => crossover !== null).map(({ mode, crossover }) =>
      `${mode} is faster than exact from n ≈ ${Math.round(crossover!)}`
    );
    const sizes = [...new Set(values.map(({ n }) => n))].sort((a, b) => a - b);
    return {
      title: `Time on ${workload}`,
      caption: `Slopes with 95 % bootstrap intervals: ${slopes.join("; ")}. ${crossovers.join("; ")}. ` +
        `Fixed budget: ${budget.bucket} keys in the block and ${budget.samples} samples. Open marks are extrapolated quadratically; crosses are certificates that fell back to exact attention.`,
      aspect: [0.5, 1.15],
      spec: (narrow) => ({
        data: { values },
        layer: [
          { mark: { type: "line" }, encoding: {} },
          {
            mark: { type: "point", size: 70, filled: false, strokeWidth: 2 },
            encoding: {
              shape: {
                field: "kind",
                type: "nominal",
                scale: {
                  domain: ["measured", "exact after all", "extrapolated"],
                  range: ["circle", "cross", "square"],
                },
                legend: { title: null },
              },
            },
          },
        ],
        encoding: {
          x: { ...log("n", "n"), axis: sizeAxis(sizes, narrow) },
          y: log("seconds", "seconds"),
          color: colour("mode", narrow),
        },
      }),
    };
  });
}

/** Memory and error over n. */
export function scalingDetails({ series }: ScalingReport): Plot[] {
  const points = series.filter(({ mode }) => mode !== "exact").flatMap(({ workload, mode, points: own }) =>
    own.map((point) => ({ ...point, workload, series: `${workload}, ${mode}` }))
  );
  const sizes = [...new Set(points.map(({ n }) => n))].sort((a, b) => a - b);
  const over = (
    field: string,
    title: string,
    values: readonly object[],
    narrow: boolean,
    scale = 1,
  ): PlotSpec => ({
    data: { values },
    transform: [{ calculate: `datum.${field} / ${scale}`, as: "shown" }],
    mark: { type: "line", point: true },
    encoding: {
      x: { ...log("n", "n"), axis: sizeAxis(sizes, narrow) },
      y: log("shown", title),
      color: colour("series", narrow),
    },
  });
  const memory = points.filter(({ peak_bytes: bytes, mode }: { peak_bytes: number | null; mode?: string }) =>
    (bytes ?? 0) > 0 && mode !== "exact"
  );
  const errors = points.filter(({ error }) => (error ?? 0) > 1e-9);
  return [
    ...(memory.length > 0
      ? [{
        title: "Memory",
        caption: "Growth of the process's resident memory since before the first size, in MiB.",
        aspect: [0.45, 1.2] as const,
        spec: (narrow: boolean) => over("peak_bytes", "MiB", memory, narrow, 2 ** 20),
      }]
      : []),
    ...(errors.length > 0
      ? [{
        title: "Error over n",
        caption:
          "Error on exactly computed rows, relative to ‖V‖: at least the error relative to ‖P‖‖V‖, since ‖P‖ is at least 1 there.",
        aspect: [0.45, 1.2] as const,
        spec: (narrow: boolean) => over("error", "error / ‖V‖", errors, narrow),
      }]
      : []),
  ];
}

const SHADES = 7;
const CELL_INDICES = Array.from({ length: CELLS }, (_, at) => at);

/** The softmax matrix before and after the sort. */
export function matrixPlot({ cells, blocks, share }: MatrixPicture): Plot {
  // Cells of the lightest shade are the colour of the paper.
  const shown = cells.filter(({ weight }) => weight >= 1 / SHADES).map(({ order, ...cell }) => ({
    ...cell,
    order: order === "before" ? "as they come" : "sorted by hash",
  }));
  return {
    title: "Why blocks work",
    caption:
      `A softmax matrix of clustered inputs, queries down and keys across, before and after both are sorted by the angular hash; stronger is ` +
      `heavier. After the sort, the ${blocks} blocks on the diagonal hold ${
        Math.round(100 * share)
      } % of the weight in ${Math.round(100 / blocks)} % of the pairs.`,
    aspect: [0.55, 1.95],
    spec: (narrow) => ({
      autosize: "pad",
      data: { values: shown },
      facet: {
        field: "order",
        type: "nominal",
        title: null,
        header: { labelColor: "var(--ink)", labelFontSize: 13 },
      },
      columns: narrow ? 1 : 2,
      spec: {
        width: narrow ? 300 : 440,
        height: narrow ? 300 : 440,
        mark: { type: "rect", stroke: null },
        encoding: {
          x: { field: "column", type: "ordinal", axis: null, scale: { domain: CELL_INDICES } },
          y: { field: "row", type: "ordinal", axis: null, scale: { domain: CELL_INDICES } },
          color: {
            field: "weight",
            type: "quantitative",
            scale: {
              type: "quantize",
              domain: [0, 1],
              range: Array.from({ length: SHADES }, (_, at) => `var(--h${at})`),
            },
            legend: null,
          },
        },
      },
    }),
  };
}
