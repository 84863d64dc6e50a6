import type { VerificationReport } from "../engine/report.ts";
import { clopperPearson } from "../statistics/binomial.ts";
import { log, type Plot } from "./plot.ts";
import { SERIES_COLOURS } from "./render.ts";

/** Level of all intervals together. */
const LEVEL = 0.05;

/** How often certificates were false on their least favourable input, along δ. */
export function coverageCurve({ points, results }: VerificationReport): Plot | undefined {
  const asked = points.filter(({ coverage }) => coverage !== undefined);
  const values = asked.flatMap(({ claim, family, coverage }) => {
    const result = results.find((result) => result.claim === claim && result.family === family);
    if (!result || result.violations === null) return [];
    const { violations, runs } = result,
      { lower, upper } = clopperPearson(violations, runs, 1 - LEVEL / asked.length);
    // A logarithmic axis has no 0.
    const least = 0.2 / runs;
    return [{
      delta: Number(coverage),
      rate: Math.max(least, violations / runs),
      lower: Math.max(least, lower),
      upper,
      runs,
    }];
  });
  if (values.length === 0) return undefined;
  const ends = [Math.min(...values.map(({ delta }) => delta)) / 2, 0.5].map((delta) => ({
    delta,
    rate: delta,
  }));
  const x = log("delta", "δ that was asked for"), y = log("rate", "share of false certificates");
  return {
    title: "False certificates against δ",
    caption:
      "On the output that a check is likeliest to miss, just enough rows as wrong as can be. Bars are Clopper and Pearson's intervals, of 95 % " +
      "all together; a bar that lies above the dashed line would be too many false certificates.",
    aspect: [0.45, 0.9],
    spec: () => ({
      layer: [
        {
          data: { values: ends },
          mark: { type: "line", color: "var(--muted)", strokeDash: [4, 4] },
          encoding: { x, y },
        },
        {
          data: { values },
          mark: { type: "rule", color: SERIES_COLOURS[0], strokeWidth: 2 },
          encoding: { x, y: log("lower", "share of false certificates"), y2: { field: "upper" } },
        },
        {
          data: { values },
          mark: { type: "point", filled: true, size: 50, color: SERIES_COLOURS[0] },
          encoding: { x, y },
        },
      ],
    }),
  };
}
