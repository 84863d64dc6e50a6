import type { Backend } from "../../kernels/backend.ts";
import { purposeOfRound } from "../../kernels/purposes.ts";
import { RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../core/problem.ts";
import { operatorNorm } from "../linear_algebra/operator_norm.ts";
import { squaredLength } from "../linear_algebra/power_iteration.ts";
import type { Certificate } from "./certificate.ts";
import { lowerMeanBound, upperMeanBound } from "./confidence.ts";
import { leastSoftmaxNorm, roundingOfRow } from "./exact_certificate.ts";
import type { HeadGeometry } from "./head_geometry.ts";
import { distanceOfFarthest, HOST_ROUNDING, pickRows } from "./value_geometry.ts";

/** What a check is to establish, and from how many rows. */
export interface CertificateRequest {
  readonly epsilon: number;
  readonly delta: number;
  /** Rows of each query head to compute exactly. */
  readonly rows: number;
  /** Decides which rows; the method must not know it. */
  readonly seed: number;
  /** Tells repeated checks of one call apart, so that each draws fresh rows. */
  readonly round: number;
  /** Rest `holds` on the bound, or on the estimate alone. */
  readonly certify: "bound" | "estimate";
}

/** Share of delta spent on the error; the rest on the lower bound of ‖P‖. */
const ERROR_SHARE = 0.8;

/**
 * Bounds the error of an approximate output a posteriori, and writes the exact rows computed for it into the output.
 *
 * Of each query head fresh rows are drawn uniformly without replacement and computed exactly, up to the rounding r_i
 * that `rounding_bound.ts` allows them. Every row of attention lies in the convex hull of the values, so the error of
 * row i is at most B_i = ‖output_i − centre‖ + radius, known for all rows; with B = max B_i the mean of (‖error_i‖/B)²
 * over all rows has an upper confidence bound from the rows drawn (`confidence.ts`), hence so has ‖E‖_op <= ‖E‖_F. The
 * rows drawn leave the sum but for their rounding. The error allowed, epsilon·‖P‖·‖V‖, uses a lower confidence bound on ‖P‖
 * >= ‖P x‖/‖x‖ from the same rows, x being independent of them. Nothing is assumed of the method, which may know
 * everything but the seed of the check.
 *
 * @param problem One in which every query sees every key.
 * @returns The certificate of the query head that is closest to its target or farthest above it, and which head that is.
 */
export async function certify(
  backend: Backend,
  problem: Problem,
  output: Float32Array,
  geometry: readonly HeadGeometry[],
  request: CertificateRequest,
  signal?: AbortSignal,
): Promise<{ certificate: Certificate; head: number }> {
  const { heads, queries, period, valueFeatures } = problem, group = queries / period;
  let worst: { certificate: Certificate; head: number; share: number } | undefined;
  for (let keyHead = 0; keyHead < heads; keyHead++) {
    const members = Array.from({ length: group }, (_, at) => keyHead * group + at);
    const drawn = members.map((head) =>
      new RandomStream(request.seed, purposeOfRound("certificateRows", request.round), head).distinct(
        request.rows,
        period,
      )
    );
    const exact = await exactRows(backend, problem, keyHead, drawn, geometry, signal);
    for (const [at, head] of members.entries()) {
      const own = output.subarray(head * period * valueFeatures, (head + 1) * period * valueFeatures);
      const width = valueFeatures + group, first = at * request.rows;
      const rows = exact.subarray(first * width, (first + request.rows) * width);
      const rounding = { column: valueFeatures + at, width, firstRow: head * period };
      const certificate = certifyHead(own, rows, drawn[at], geometry[head], request, {
        ...rounding,
        perHead: request.delta / (heads * group),
      });
      // A value norm of 0 leaves a target of 0, which only an error of 0 meets.
      const size = sizeOf(certificate), share = size === 0 ? 0 : size / certificate.target;
      if (!worst || !(share <= worst.share)) worst = { certificate, head, share };
    }
  }
  return worst!;
}

/** The number that a certificate compares with its target. */
function sizeOf({ kind, operatorNormBound, operatorNormEstimate }: Certificate): number {
  return kind === "estimate" ? operatorNormEstimate : operatorNormBound;
}

/**
 * The drawn rows of all query heads of a key head, [group · rows, valueFeatures + group]: attention, and the images of
 * the direction of each query head.
 */
async function exactRows(
  backend: Backend,
  problem: Problem,
  keyHead: number,
  drawn: readonly Uint32Array[],
  geometry: readonly HeadGeometry[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { queries, period, keys, features, valueFeatures, scale, logWeights } = problem;
  const group = drawn.length, rows = drawn[0].length;
  const query = new Float32Array(group * rows * features);
  drawn.forEach((own, at) => {
    const first = keyHead * queries + at * period;
    query.set(pickRows(problem.query.subarray(first * features), own, features), at * rows * features);
  });
  const directions = drawn.map((_, at) => geometry[keyHead * group + at].direction);
  const { output } = backend.attend({
    heads: 1,
    queries: group * rows,
    keys,
    features,
    valueFeatures: valueFeatures + group,
    scale,
    query: backend.upload(query),
    key: backend.upload(problem.key.subarray(keyHead * keys * features, (keyHead + 1) * keys * features)),
    value: backend.upload(appendColumns(problem, keyHead, directions)),
    logWeights: logWeights && backend.upload(logWeights.subarray(keyHead * keys, (keyHead + 1) * keys)),
  });
  const [exact] = await backend.run([output], signal);
  backend.reset();
  return exact as Float32Array;
}

/** The certificate of one query head; its drawn rows are exact afterwards. */
function certifyHead(
  own: Float32Array,
  exact: Float32Array,
  drawn: Uint32Array,
  geometry: HeadGeometry,
  { epsilon, delta, rows, certify, seed }: CertificateRequest,
  { column, width, firstRow, perHead }: { column: number; width: number; firstRow: number; perHead: number },
): Certificate {
  const queries = own.length / geometry.centre.length;
  const farthest = distanceOfFarthest(own, geometry.centre) + geometry.radius;
  const measured = measureErrors(own, exact, drawn, geometry, { column, width, firstRow });
  const finite = Number.isFinite(farthest) &&
    Number.isFinite(measured.squaredErrors + measured.squaredImages);
  const kind = rows === queries ? "exact" : certify;

  const errorMean = Math.min(1, measured.squaredErrors / rows / farthest ** 2);
  const bounded = farthest === 0 ? 0 : upperMeanBound(errorMean, rows, ERROR_SHARE * perHead);
  const unseen = rows === queries
    ? 0
    : Math.max(0, farthest ** 2 * queries * bounded - measured.squaredRemoved);
  // The image of x under a stochastic row is at most the largest entry of x.
  const most = geometry.direction.reduce((a, b) => Math.max(a, b), 0) ** 2;
  const lowest = most === 0
    ? 0
    : lowerMeanBound(Math.min(1, measured.squaredImages / rows / most), rows, (1 - ERROR_SHARE) * perHead);
  const image = most === 0 ? 0 : Math.sqrt(queries * lowest * most / squaredLength(geometry.direction));
  const softmaxNorm = Math.max(leastSoftmaxNorm(queries, geometry), image * (1 - HOST_ROUNDING));

  const target = epsilon * softmaxNorm * geometry.valueNorm;
  const operatorNormBound = finite
    ? Math.sqrt(unseen + measured.squaredRounding) * (1 + HOST_ROUNDING)
    : Infinity;
  const operatorNormEstimate = finite ? Math.sqrt(queries / rows - 1) * measured.operatorNorm : Infinity;
  const checked = kind === "estimate" ? operatorNormEstimate : operatorNormBound;
  return {
    // Written so that nothing holds that is not a number.
    holds: finite && checked <= target,
    guaranteed: kind !== "estimate",
    epsilon,
    delta,
    operatorNormBound,
    operatorNormEstimate,
    target,
    rowsChecked: rows,
    kind,
    checkSeed: seed,
  };
}

/** The values of a key head with directions as more columns, so that one pass gives all images. */
function appendColumns(
  { value, keys, valueFeatures }: Problem,
  head: number,
  directions: readonly Float32Array[],
): Float32Array {
  const width = valueFeatures + directions.length, widened = new Float32Array(keys * width);
  for (let j = 0; j < keys; j++) {
    const from = (head * keys + j) * valueFeatures, to = j * width;
    widened.set(value.subarray(from, from + valueFeatures), to);
    directions.forEach((direction, at) => widened[to + valueFeatures + at] = direction[j]);
  }
  return widened;
}

/** Sums over the drawn rows of one query head. */
interface MeasuredErrors {
  /** Upper bound on Σ ‖error‖². */
  readonly squaredErrors: number;
  /** Lower bound on the same. */
  readonly squaredRemoved: number;
  /** Σ r², what these rows may err by once they are exact. */
  readonly squaredRounding: number;
  /** Operator norm of the errors, as measured; NaN where they are not finite. */
  readonly operatorNorm: number;
  /** Lower bound on Σ (P x)². */
  readonly squaredImages: number;
}

/** Errors of the drawn rows, which are then replaced by the exact ones; and the images of the direction. */
function measureErrors(
  own: Float32Array,
  exact: Float32Array,
  drawn: Uint32Array,
  geometry: HeadGeometry,
  { column, width, firstRow }: { column: number; width: number; firstRow: number },
): MeasuredErrors {
  const { bounds, centre: { length: valueFeatures } } = geometry;
  const errors = new Float64Array(drawn.length * valueFeatures);
  const largest = geometry.direction.reduce((a, b) => Math.max(a, b), 0);
  let squaredErrors = 0, squaredRemoved = 0, squaredImages = 0;
  drawn.forEach((row, at) => {
    const from = at * width, to = at * valueFeatures;
    for (let c = 0; c < valueFeatures; c++) errors[to + c] = own[row * valueFeatures + c] - exact[from + c];
    own.set(exact.subarray(from, from + valueFeatures), row * valueFeatures);
    const error = Math.sqrt(squaredLength(errors.subarray(to, to + valueFeatures)));
    const rounding = roundingOfRow(bounds, geometry, firstRow + row);
    squaredErrors += (error + rounding) ** 2;
    squaredRemoved += Math.max(0, error - rounding) ** 2;
    const image = exact[from + column] - (bounds.weights[firstRow + row] + bounds.sums) * largest -
      bounds.least;
    // Written so that NaN stays.
    squaredImages += image <= 0 ? 0 : image ** 2;
  });
  const finite = Number.isFinite(squaredErrors);
  return {
    squaredErrors,
    squaredRemoved,
    squaredRounding: drawn.reduce(
      (sum, row) => sum + roundingOfRow(bounds, geometry, firstRow + row) ** 2,
      0,
    ),
    operatorNorm: finite ? operatorNorm(errors, drawn.length, valueFeatures) : NaN,
    squaredImages,
  };
}
