import type { ScalingReport } from "../scaling/report.ts";
import { colour, log, type Plot } from "./plot.ts";
import type { PlotSpec } from "./render.ts";

/** Ticks of sizes: powers of two, as people write them. */
const sizeAxis = (sizes: readonly number[], narrow: boolean) => ({
  title: "n",
  values: sizes.filter((n) => !narrow || Math.log2(n) % 2 === 0),
  labelExpr: "datum.value >= 1024 ? format(datum.value / 1024, '~g') + 'k' : format(datum.value, '~g')",
});

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
        `Fixed budget: ${budget.bucket} keys in the block and ${budget.samples} samples. Squares are extrapolated quadratically; at crosses exact attention cost less than a certificate.`,
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
                legend: { title: null, orient: "top", columns: narrow ? 1 : 3 },
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
        caption:
          "Growth of resident memory while one problem is attended in a process of its own, in MiB; inputs are not counted.",
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
