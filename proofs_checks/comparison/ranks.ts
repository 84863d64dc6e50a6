import { sampleQuantile } from "../statistics/quantile.ts";
import { type ComparisonReport, isMeasured, type MeasuredPoint, type MethodRank } from "./report.ts";

/** Evaluations for each query that a budget of f allows: f samples and f/2 keys of a block. */
const PER_BUDGET = 1.5;

/** A point with its place among those of its input and budget. */
interface Placed {
  readonly point: MeasuredPoint;
  readonly rank: number;
  readonly toBest: number;
}

/** Where each method stands over several comparisons, the best mean rank first. Exact attention has no budget, and what fell back on it no error: they stand apart. */
export function rankMethods(comparisons: readonly ComparisonReport[]): MethodRank[] {
  const points = comparisons.map(({ points }) => points.filter(({ budget }) => budget !== null));
  const placed = points.flatMap((own) => {
    const budgets = [...new Set(own.map(({ budget }) => budget))];
    return budgets.flatMap((budget) =>
      placesOf(own.filter((point) => point.budget === budget && point.ran !== "exact").filter(isMeasured))
    );
  });
  const names = [...new Set(points.flat().map(({ method }) => method))];
  const ranks = names.map((name): MethodRank => {
    const own = placed.filter(({ point }) => point.method === name), many = own.length > 0;
    const count = (holds: (placed: Placed) => boolean) => own.filter(holds).length;
    return {
      method: name,
      measured: own.length,
      exact: points.flat().filter(({ method, ran }) => method === name && ran === "exact").length,
      refused: points.flat().filter(({ method, refused }) => method === name && refused !== null).length,
      "mean_rank": many ? own.reduce((sum, { rank }) => sum + rank, 0) / own.length : null,
      best: count(({ toBest }) => toBest === 1),
      "error_to_best": geometricMean(own.map(({ toBest }) => toBest)),
      "on_front": count(({ point }) => point.front),
      "on_front_of_evaluations": count(({ point }) => point.front_of_evaluations),
      "evaluations_to_budget": many
        ? sampleQuantile(
          own.map(({ point }) => point.evaluations_per_query! / (PER_BUDGET * point.budget!)),
          0.5,
        )
        : null,
      speedup: geometricMean(own.map(({ point }) => point.speedup!)),
    };
  });
  return ranks.sort((a, b) => (a.mean_rank ?? Infinity) - (b.mean_rank ?? Infinity));
}

/** Places by error, ties in the middle of theirs, and errors over the least. */
function placesOf(points: readonly MeasuredPoint[]): Placed[] {
  const least = points.reduce((least, { error }) => Math.min(least, error), Infinity);
  return points.map((point) => {
    const below = points.filter(({ error }) => error < point.error).length;
    const equal = points.filter(({ error }) => error === point.error).length;
    return { point, rank: below + (equal + 1) / 2, toBest: point.error === least ? 1 : point.error / least };
  });
}

/** Null where there is nothing, or something has no logarithm. */
function geometricMean(values: readonly number[]): number | null {
  const mean = Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);
  return mean > 0 && mean < Infinity ? mean : null;
}
