import { standingOf } from "../engine/standing.ts";
import type { PlotPoint, VerificationReport } from "../engine/report.ts";
import { colour, log, type Plot } from "./plot.ts";
import { SERIES_COLOURS } from "./render.ts";

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
        strokeDash: {
          field: "method",
          type: "nominal",
          legend: { title: null, orient: "top", columns: narrow ? 1 : 3 },
        },
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
  const decided = results.filter(({ margin, reason }) =>
    Number.isFinite(margin) && (reason ?? null) === null
  );
  const values = decided.map((result) => ({
    claim: result.claim,
    family: result.family,
    verdict: standingOf(result) === "expected" ? "refuted, as expected" : result.verdict,
    margin: Math.max(-2, Math.min(1, result.margin)),
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
          legend: { title: null, columns: narrow ? 1 : 4 },
        },
      },
    }),
  };
}
