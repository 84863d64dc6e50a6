import { type ComparisonReport, isMeasured } from "../proofs_checks/comparison/report.ts";
import { formatNumber, formatSeconds, formatTable } from "./table.ts";

const HEADS = [
  "method",
  "budget",
  "time",
  "speed-up",
  "key evaluations per query",
  "error ‖Att~−Att‖/‖Att‖",
  "worst",
  "front",
];

/** The table of `compare` for people. */
export function comparisonTable(
  { points, seed, seeds, repeat, mean_value_error: meanValue }: ComparisonReport,
): string {
  const memory = points.some(({ peak_bytes: bytes }) => bytes !== null);
  const rows = points.map((point) => {
    const { method, ran, budget } = point;
    const name = [ran === null || ran === method ? method : `${method} → ${ran}`, String(budget ?? "–")];
    if (!isMeasured(point)) return [...name, ...new Array<string>(memory ? 6 : 5).fill("–"), "refused"];
    return [
      ...name,
      formatSeconds(point.seconds),
      formatNumber(point.speedup!),
      formatCount(point.evaluations_per_query!),
      formatNumber(point.error),
      formatNumber(point.worst_error!),
      ...memory ? [point.peak_bytes === null ? "–" : formatNumber(point.peak_bytes / 1e6)] : [],
      point.front ? "●" : "",
    ];
  });
  const last = seed + seeds - 1;
  const lines = [
    formatTable([memory ? HEADS.toSpliced(-1, 0, "MB") : HEADS, ...rows]),
    "",
    `${
      repeat === 0
        ? "Times are medians of the runs that tell errors"
        : `Times are medians of ${repeat} interleaved round${repeat === 1 ? "" : "s"}`
    }; errors are the median and the worst of ${seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${last}`}.`,
    "● No other point is both faster and more accurate.",
    `The mean value, which knows no query, errs ${formatNumber(meanValue)}.`,
  ];
  const remarks = points.flatMap(({ method, budget, refused, fell_back: fellBack }) => [
    ...(refused === null ? [] : [`${method} at ${budget} refused: ${refused}`]),
    ...(fellBack === null ? [] : [fellBack]),
  ]);
  if (remarks.length > 0) lines.push("", ...new Set(remarks));
  return lines.join("\n");
}

/** A mean count: whole where it is large. */
function formatCount(value: number): string {
  return value < 1000 ? formatNumber(value) : String(Math.round(value));
}
