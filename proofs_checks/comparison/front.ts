import { checkFields, unfitValue } from "../../kernels/check_values.ts";

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
 *
 * @throws {TypeError} If a point has not both numbers.
 */
export function paretoFront(points: readonly Outcome[]): boolean[] {
  if (!Array.isArray(points)) throw unfitValue("find the front", "points", "an array", points, false);
  Array.from(points as readonly unknown[]).forEach((point, at) =>
    checkFields("find the front", `points[${at}]`, point, { seconds: "number", error: "number" })
  );
  return points.map(({ seconds, error }) =>
    !points.some((other) => other.seconds < seconds && other.error < error)
  );
}

/**
 * Whether no other point costs no more and errs less, or costs less and errs no more: for costs that are counted, which tie often and
 * have no noise.
 */
export function undominated(points: readonly { readonly cost: number; readonly error: number }[]): boolean[] {
  return points.map(({ cost, error }) =>
    !points.some((other) =>
      other.cost <= cost && other.error <= error && (other.cost < cost || other.error < error)
    )
  );
}
