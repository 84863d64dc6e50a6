import type { Backend } from "../../kernels/backend.ts";
import { purposeOfRound } from "../../kernels/purposes.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../core/problem.ts";
import { lowerMeanBound, upperMeanBound } from "./confidence.ts";
import { operatorNorm } from "../linear_algebra/operator_norm.ts";
import { lowerOperatorNorm, squaredLength } from "../linear_algebra/power_iteration.ts";

/** What is known about the error of an output. */
export interface Certificate {
  /** Whether the error is at most `target`: with probability 1 − delta for a bound, certainly when exact. */
  readonly holds: boolean;
  /** The error asked for, relative to ‖P‖·‖V‖. */
  readonly epsilon: number;
  /** The probability allowed of a larger error. */
  readonly delta: number;
  /** Upper bound on ‖output − attention‖_op of the head where it is closest to its target; 0 when exact. */
  readonly operatorNormBound: number;
  /** Estimate of the same norm from the rows checked; not a bound. */
  readonly operatorNormEstimate: number;
  /** The error allowed in that head: epsilon · (lower bound on ‖P‖) · ‖V‖. Null when exact: nothing was needed. */
  readonly target: number | null;
  /** Rows of each head that were computed exactly for the check. */
  readonly rowsChecked: number;
  /** What the certificate rests on: a bound, an estimate, or exact computation. */
  readonly kind: "bound" | "estimate" | "exact";
}

/** What a check is to establish, and from how many rows. */
export interface CertificateRequest {
  readonly epsilon: number;
  readonly delta: number;
  /** Rows of each head to compute exactly. */
  readonly rows: number;
  readonly seed: number;
  /** Tells repeated checks of one call apart, so that each draws fresh rows. */
  readonly round: number;
  /** Rest `holds` on the bound, or on the estimate alone. */
  readonly certify: "bound" | "estimate";
}

/** Per-head quantities that do not depend on the output, computed once for repeated checks. */
export interface HeadGeometry {
  /** Mean value. */
  readonly centre: Float64Array;
  /** Largest distance of a value from their mean: no row of attention lies farther from it. */
  readonly radius: number;
  /** A lower bound on ‖V‖_op, close to it. */
  readonly valueNorm: number;
  /** A unit vector x >= 0 of the keys with ‖P x‖ close to ‖P‖; found on probe rows. */
  readonly direction: Float64Array;
  /** ‖P x‖ estimated from the probe rows: for planning, not a bound. */
  readonly softmaxNormEstimate: number;
  /** Rows probed for the direction. */
  readonly probes: number;
}

/** Share of delta spent on the error; the rest on the lower bound of ‖P‖. */
const ERROR_SHARE = 0.8;

/**
 * Bounds the error of an approximate output a posteriori, and writes the exact rows computed for it into the output.
 *
 * Fresh rows are drawn uniformly without replacement and computed exactly. Every row of attention lies in the convex
 * hull of the values, so the error of row i is at most B_i = ‖output_i − centre‖ + radius, known for all rows; with
 * B = max B_i the mean of (‖error_i‖/B)² over all rows has an upper confidence bound from the rows drawn
 * (`confidence.ts`), hence so has ‖E‖_op <= ‖E‖_F. The rows drawn are exact afterwards and leave the sum. The error
 * allowed, epsilon·‖P‖·‖V‖, uses a lower confidence bound on ‖P‖ >= ‖P x‖ from the same rows, x being independent of
 * them. Nothing is assumed of the method, which may know everything but the seed of the check.
 *
 * @returns The certificate of the head that is closest to its target or farthest above it, and which head that is.
 */
export async function certify(
  backend: Backend,
  problem: Problem,
  output: Float32Array,
  geometry: readonly HeadGeometry[],
  request: CertificateRequest,
  signal?: AbortSignal,
): Promise<{ certificate: Certificate; head: number }> {
  const { heads, queries, keys, features, valueFeatures, scale } = problem;
  const { epsilon, delta, rows, certify } = request;
  const width = valueFeatures + 1;
  let worst: { certificate: Certificate; head: number; share: number } | undefined;
  for (let head = 0; head < heads; head++) {
    const stream = new RandomStream(request.seed, purposeOfRound("certificateRows", request.round), head);
    const drawn = stream.distinct(rows, queries);
    const own = outputOf(output, head, queries, valueFeatures);
    const farthest = largestDistance(own, geometry[head]);
    const exact = backend.attend({
      heads: 1,
      queries: rows,
      keys,
      features,
      valueFeatures: width,
      scale,
      query: backend.upload(pickRows(problem.query.subarray(head * queries * features), drawn, features)),
      key: backend.upload(problem.key.subarray(head * keys * features, (head + 1) * keys * features)),
      value: backend.upload(appendColumn(problem, head, geometry[head].direction)),
    });
    const [exactRows] = await backend.run([exact.output], signal);
    backend.reset();
    const measured = measureErrors(own, exactRows as Float32Array, drawn, valueFeatures);

    const perHead = delta / heads;
    const errorMean = measured.squaredErrors / rows / farthest ** 2;
    const bounded = farthest === 0 ? 0 : upperMeanBound(Math.min(1, errorMean), rows, ERROR_SHARE * perHead);
    const squaredBound = Math.max(0, farthest ** 2 * queries * bounded - measured.squaredErrors);
    // The image of a unit vector x under a stochastic row is at most the largest entry of x.
    const most = geometry[head].direction.reduce((a, b) => Math.max(a, b), 0) ** 2 * (1 + 1e-5);
    const imageMean = Math.min(1, measured.squaredImages / rows / most);
    const lowest = lowerMeanBound(imageMean, rows, (1 - ERROR_SHARE) * perHead);
    // Rows that sum to 1 give ‖P‖ >= ‖P 1‖/‖1‖ = √(queries/keys) for certain.
    const softmaxNorm = Math.max(Math.sqrt(queries / keys), Math.sqrt(queries * lowest * most));

    const target = epsilon * softmaxNorm * geometry[head].valueNorm;
    const operatorNormBound = rows === queries ? 0 : Math.sqrt(squaredBound);
    const operatorNormEstimate = rows === queries ? 0 : Math.sqrt(queries / rows - 1) * measured.operatorNorm;
    const checked = certify === "bound" ? operatorNormBound : operatorNormEstimate;
    const kind = rows === queries ? "exact" : certify;
    const certificate = {
      holds: checked <= target,
      epsilon,
      delta,
      operatorNormBound,
      operatorNormEstimate,
      target,
      rowsChecked: rows,
      kind,
    } as const;
    // A value norm of 0 leaves a target of 0, which only an error of 0 meets.
    const share = checked === 0 ? 0 : checked / target;
    if (!worst || share > worst.share) worst = { certificate, head, share };
  }
  return worst!;
}

/** The certificate of exact attention. */
export function exactCertificate(epsilon: number, delta: number): Certificate {
  const bounds = { operatorNormBound: 0, operatorNormEstimate: 0, target: null, rowsChecked: 0 };
  return { holds: true, epsilon, delta, ...bounds, kind: "exact" };
}

function outputOf(output: Float32Array, head: number, queries: number, width: number): Float32Array {
  return output.subarray(head * queries * width, (head + 1) * queries * width);
}

/** B: the farthest that any row of the output may lie from its exact value. */
function largestDistance(own: Float32Array, { centre, radius }: HeadGeometry): number {
  const width = centre.length;
  let farthest = 0;
  for (let start = 0; start < own.length; start += width) {
    let squared = 0;
    for (let c = 0; c < width; c++) squared += (own[start + c] - centre[c]) ** 2;
    farthest = Math.max(farthest, squared);
  }
  return Math.sqrt(farthest) + radius;
}

function pickRows(rows: Float32Array, drawn: Uint32Array, width: number): Float32Array {
  const picked = new Float32Array(drawn.length * width);
  drawn.forEach((row, at) => picked.set(rows.subarray(row * width, (row + 1) * width), at * width));
  return picked;
}

/** The values of a head with the direction as one more column, so that one pass gives both images. */
function appendColumn(
  { value, keys, valueFeatures }: Problem,
  head: number,
  direction: Float64Array,
): Float32Array {
  const widened = new Float32Array(keys * (valueFeatures + 1));
  for (let j = 0; j < keys; j++) {
    const from = (head * keys + j) * valueFeatures, to = j * (valueFeatures + 1);
    widened.set(value.subarray(from, from + valueFeatures), to);
    widened[to + valueFeatures] = direction[j];
  }
  return widened;
}

/** Errors of the drawn rows, which are then replaced by the exact ones; and the images of the direction. */
function measureErrors(
  own: Float32Array,
  exactRows: Float32Array,
  drawn: Uint32Array,
  width: number,
): { squaredErrors: number; operatorNorm: number; squaredImages: number } {
  const errors = new Float64Array(drawn.length * width);
  let squaredImages = 0;
  drawn.forEach((row, at) => {
    const from = at * (width + 1);
    for (let c = 0; c < width; c++) {
      errors[at * width + c] = own[row * width + c] - exactRows[from + c];
      own[row * width + c] = exactRows[from + c];
    }
    squaredImages += exactRows[from + width] ** 2;
  });
  return {
    squaredErrors: squaredLength(errors),
    operatorNorm: operatorNorm(errors, drawn.length, width),
    squaredImages,
  };
}

/** Probe rows on which the direction of ‖P‖ is sought. */
const PROBES = 48;

/** Centre, radius and norm of the values of each head, and a direction in which its softmax matrix is large. */
export async function headGeometry(
  backend: Backend,
  problem: Problem,
  seed: number,
  signal?: AbortSignal,
): Promise<HeadGeometry[]> {
  const { heads, queries, keys, features, valueFeatures, scale } = problem;
  const geometry: HeadGeometry[] = [];
  for (let head = 0; head < heads; head++) {
    const probes = Math.min(PROBES, queries);
    const drawn = new RandomStream(seed, Purpose.certificate, head).distinct(probes, queries);
    const probabilities = backend.softmaxRows({
      heads: 1,
      queries: probes,
      keys,
      features,
      scale,
      query: backend.upload(pickRows(problem.query.subarray(head * queries * features), drawn, features)),
      key: backend.upload(problem.key.subarray(head * keys * features, (head + 1) * keys * features)),
    });
    const [rows] = await backend.run([probabilities], signal);
    backend.reset();
    const { norm, direction } = lowerOperatorNorm(rows, probes, keys);
    const own = problem.value.subarray(head * keys * valueFeatures, (head + 1) * keys * valueFeatures);
    geometry.push({
      ...centreAndRadius(own, valueFeatures),
      valueNorm: lowerOperatorNorm(own, keys, valueFeatures).norm,
      direction,
      probes,
      softmaxNormEstimate: Math.max(Math.sqrt(queries / keys), norm * Math.sqrt(queries / probes)),
    });
  }
  return geometry;
}

function centreAndRadius(values: Float32Array, width: number): { centre: Float64Array; radius: number } {
  const count = values.length / width, centre = new Float64Array(width);
  for (let at = 0; at < values.length; at++) centre[at % width] += values[at] / count;
  let farthest = 0;
  for (let start = 0; start < values.length; start += width) {
    let squared = 0;
    for (let c = 0; c < width; c++) squared += (values[start + c] - centre[c]) ** 2;
    farthest = Math.max(farthest, squared);
  }
  // Attention itself is rounded to f32: its rows may leave the ball by a few units in the last place.
  return { centre, radius: Math.sqrt(farthest) * (1 + 1e-5) };
}
