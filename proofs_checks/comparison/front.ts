/** What a point of the front is judged by. */
export interface Outcome {
  readonly seconds: number;
  readonly error: number;
}

/**
 * Whether each point is on the Pareto front: no other is both faster and more accurate. Of points that are equally
 * accurate none excludes another, nor of equally fast ones: methods that compute the same differ by the noise of the
 * clock alone.
 *
 * @example
 * ```ts
 * import { paretoFront } from "./front.ts";
 * console.log(paretoFront([{ seconds: 1, error: 2 }, { seconds: 2, error: 3 }, { seconds: 9, error: 0 }]));
 * // [ true, false, true ]
 * ```
 */
export function paretoFront(points: readonly Outcome[]): boolean[] {
  return points.map(({ seconds, error }) =>
    !points.some((other) => other.seconds < seconds && other.error < error)
  );
}
