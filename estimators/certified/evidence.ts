import type { Problem } from "../core/problem.ts";
import { operatorNorm } from "../linear_algebra/operator_norm.ts";
import { lowerMeanBound, upperMeanBound } from "./confidence.ts";
import type { DrawnRows } from "./exact_rows.ts";
import { leastSoftmaxNorm, roundingOfRow } from "./exact_certificate.ts";
import type { HeadGeometry } from "./head_geometry.ts";
import { distanceOfFarthest, HOST_ROUNDING } from "./value_geometry.ts";

/** What rows computed exactly tell of the output of one query head: means over them. */
export interface Evidence {
  /** Rows of the head. */
  readonly queries: number;
  /** No row of the output errs by more. */
  readonly farthest: number;
  /** Upper bound on ‖error‖². */
  readonly squaredError: number;
  /** Lower bound on the same. */
  readonly squaredRemoved: number;
  /** r², what these rows may err by once they are exact. */
  readonly squaredRounding: number;
  /** Lower bound on (P x)², images counting as no more than `largestImage`. */
  readonly squaredImage: number;
  /** Operator norm of the errors of the rows, over the root of their number; it takes time. NaN where they are not finite. */
  readonly operatorNorm: () => number;
}

/** What may be said of an output when so many rows have been computed. */
export interface ErrorBound {
  /** Upper bound on ‖E‖ once those rows are exact; Infinity if the output is not finite. */
  readonly operatorNormBound: number;
  /** epsilon · (lower bound on ‖P‖) · (lower bound on ‖V‖) */
  readonly target: number;
}

/** Share of delta spent on the error; the rest on the lower bound of ‖P‖. */
const ERROR_SHARE = 0.8;

/** Largest distance at which a row of attention can lie from its row in each head of an output, as it lies in the hull of the values. */
export function farthestErrors(
  { period, valueFeatures }: Problem,
  output: Float32Array,
  geometry: readonly HeadGeometry[],
): number[] {
  const size = period * valueFeatures;
  return geometry.map(({ centre, radius }, head) =>
    distanceOfFarthest(output.subarray(head * size, (head + 1) * size), centre) + radius
  );
}

/** Mean over drawn rows of that lower bound on (P x)². */
export function meanSquaredImage(
  { picks, images }: DrawnRows,
  { bounds, direction, largestImage }: HeadGeometry,
  firstRow: number,
): number {
  const largest = largestOf(direction);
  let squares = 0;
  picks.forEach((row, at) => {
    const image = images[at] - (bounds.weights[firstRow + row] + bounds.sums) * largest - bounds.least;
    // Written so that NaN stays.
    squares += image <= 0 ? 0 : Math.min(image, largestImage) ** 2;
  });
  return squares / picks.length;
}

/** Compares the output of one query head with its drawn rows. */
export function gatherEvidence(
  own: Float32Array,
  drawn: DrawnRows,
  geometry: HeadGeometry,
  { farthest, firstRow }: { readonly farthest: number; readonly firstRow: number },
): Evidence {
  const { bounds, centre: { length: width } } = geometry, { picks, output } = drawn, rows = picks.length;
  const errors = new Float64Array(rows * width);
  let squaredError = 0, squaredRemoved = 0, squaredRounding = 0;
  picks.forEach((row, at) => {
    let squared = 0;
    for (let c = 0; c < width; c++) {
      const error = own[row * width + c] - output[at * width + c];
      errors[at * width + c] = error;
      squared += error * error;
    }
    const error = Math.sqrt(squared), rounding = roundingOfRow(bounds, geometry, firstRow + row);
    squaredError += (error + rounding) ** 2;
    squaredRemoved += Math.max(0, error - rounding) ** 2;
    squaredRounding += rounding ** 2;
  });
  return {
    queries: own.length / width,
    farthest,
    squaredError: squaredError / rows,
    squaredRemoved: squaredRemoved / rows,
    squaredRounding: squaredRounding / rows,
    squaredImage: meanSquaredImage(drawn, geometry, firstRow),
    operatorNorm: () =>
      Number.isFinite(squaredError) ? operatorNorm(errors, rows, width) / Math.sqrt(rows) : NaN,
  };
}

/**
 * What holds with probability 1 − delta if the evidence comes from `rows` rows drawn uniformly without replacement, of an output
 * that does not depend on which they are. With another number of rows it tells what these could say if they showed the same.
 */
export function boundFrom(
  { queries, farthest, squaredImage, ...found }: Evidence,
  { squaredDirection, largestImage, ...geometry }: HeadGeometry,
  { epsilon, rows, delta }: { readonly epsilon: number; readonly rows: number; readonly delta: number },
): ErrorBound {
  const finite = Number.isFinite(farthest) && Number.isFinite(found.squaredError + squaredImage);
  const errorMean = Math.min(1, found.squaredError / farthest ** 2);
  const bounded = farthest === 0 ? 0 : upperMeanBound(errorMean, rows, ERROR_SHARE * delta);
  const unseen = rows === queries
    ? 0
    : Math.max(0, farthest ** 2 * queries * bounded - rows * found.squaredRemoved);
  // Images that count as no more than this make ‖P x‖ no larger.
  const most = largestImage ** 2;
  const lowest = most === 0
    ? 0
    : lowerMeanBound(Math.min(1, squaredImage / most), rows, (1 - ERROR_SHARE) * delta);
  const image = most === 0 ? 0 : Math.sqrt(queries * lowest * most / squaredDirection);
  const softmaxNorm = Math.max(leastSoftmaxNorm(queries, geometry), image * (1 - HOST_ROUNDING));
  return {
    operatorNormBound: finite
      ? Math.sqrt(unseen + rows * found.squaredRounding) * (1 + HOST_ROUNDING)
      : Infinity,
    target: epsilon * softmaxNorm * geometry.valueNorm,
  };
}

/** An estimate of ‖E‖ once so many rows are exact; Infinity if the output is not finite. */
export function estimateFrom({ queries, farthest, operatorNorm }: Evidence, rows: number): number {
  const found = Math.sqrt(Math.max(0, queries - rows)) * operatorNorm();
  return Number.isFinite(farthest) && Number.isFinite(found) ? found : Infinity;
}

function largestOf(direction: Float32Array): number {
  let largest = 0;
  for (let at = 0; at < direction.length; at++) if (direction[at] > largest) largest = direction[at];
  return largest;
}
