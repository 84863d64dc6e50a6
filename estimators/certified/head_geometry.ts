import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../core/problem.ts";
import { lowerOperatorNorm, squaredLength } from "../linear_algebra/lower_operator_norm.ts";
import { lowerMeanBound } from "./confidence.ts";
import { type RoundingBounds, roundingBounds } from "./rounding_bound.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { type ValueGeometry, valueGeometry } from "./value_geometry.ts";

/** What does not depend on the output, of one query head; computed once for repeated checks. */
export interface HeadGeometry extends ValueGeometry {
  /** A vector x >= 0 of the keys, in f32 and about a unit long, with ‖P x‖ close to ‖P‖; found on probe rows. */
  readonly direction: Float32Array;
  /** ‖x‖² */
  readonly squaredDirection: number;
  /** Images of x under single rows count as no more than this, so that few rows tell their mean: from the probe rows as well. */
  readonly largestImage: number;
  /** ‖P x‖/‖x‖ with such images, estimated from probe rows of which x was not made: for planning, not a bound. */
  readonly softmaxNormEstimate: number;
  /** What exact rows may err by through rounding, of all heads. */
  readonly bounds: RoundingBounds;
}

/** Rows probed for the direction in which P is large. */
export const PROBES = 48;
/** One in so many of them has no part in it, and tells how large P is there. */
const ONE_IN = 4;
/** A direction serves if hardly another makes P much larger. */
const TOLERANCE = 0.01;
/** A check of a usual size. */
const TYPICAL = { rows: 256, delta: 0.002 };

/**
 * Geometry of each query head: query heads that share a key head share its values, but each has a softmax matrix of its
 * own.
 *
 * @param seed Seed of the check, which the method must not know.
 * @param values As of `valueGeometry`, and `bounds` as of `roundingBounds`, where they are known.
 * @param probes Rows of each query head from which the direction is learnt.
 */
export async function headGeometry(
  backend: Backend,
  problem: Problem,
  seed: number,
  signal?: AbortSignal,
  values: readonly ValueGeometry[] = valueGeometry(problem),
  bounds: RoundingBounds = roundingBounds(backend, problem),
  probes: number = Math.min(PROBES, problem.period),
): Promise<HeadGeometry[]> {
  const { heads, queries, period, keys, features, scale, queryCentre } = problem, group = queries / period;
  const geometry: HeadGeometry[] = [];
  for (let head = 0; head < heads * group; head++) {
    const keyHead = Math.floor(head / group);
    const drawn = new RandomStream(seed, Purpose.certificate, head).distinct(probes, period);
    const query = pickRows(problem.query.subarray(head * period * features), features, drawn);
    // Without the shared logits, which softmaxRows does not take: digits do not matter to a direction.
    if (queryCentre) {
      query.forEach((x, at) => query[at] = x + queryCentre[keyHead * features + at % features]);
    }
    const probabilities = backend.softmaxRows({
      heads: 1,
      queries: probes,
      keys,
      features,
      scale,
      query: backend.upload(query),
      key: backend.upload(problem.key.subarray(keyHead * keys * features, (keyHead + 1) * keys * features)),
    });
    const fitted = probes - Math.floor(probes / ONE_IN), value = values[keyHead];
    const products = backend.innerProducts({
      rows: probabilities,
      directions: probabilities,
      ...{ heads: 1, count: probes, width: keys, projections: probes },
    });
    const [rows, gram] = await backend.run([probabilities, products], signal) as Float32Array[];
    backend.reset();
    const direction = towardsLargest(rows, gram, fitted, probes), images = imagesOf(rows, probes, direction);
    const largestImage = tellingImage(images), length = squaredLength(direction);
    const mean = meanSquare(fitted < probes ? images.subarray(fitted) : images, largestImage);
    geometry.push({
      ...value,
      direction,
      squaredDirection: length,
      largestImage,
      softmaxNormEstimate: Math.sqrt(
        Math.max(period / value.visible, length > 0 ? period * mean / length : 0),
      ),
      bounds,
    });
  }
  return geometry;
}

/**
 * A direction of no negative entry in which the first rows P are large: Pᵀu, u the leading eigenvector of their products, which are few
 * numbers. Of these nothing is asked but to lead there: a check takes any direction.
 *
 * @param gram [count, count]: inner products of the rows.
 */
function towardsLargest(rows: Float32Array, gram: Float32Array, fitted: number, count: number): Float32Array {
  const keys = rows.length / count, own = new Float32Array(fitted * fitted);
  for (let row = 0; row < fitted; row++) {
    own.set(gram.subarray(row * count, row * count + fitted), row * fitted);
  }
  const { direction: leading } = lowerOperatorNorm(own, fitted, fitted, TOLERANCE);
  const sign = leading.reduce((sum, x) => sum + x, 0) < 0 ? -1 : 1, sums = new Float64Array(keys);
  leading.forEach((x, row) => {
    const factor = sign * x;
    for (let j = 0, at = row * keys; j < keys; j++, at++) sums[j] += factor * rows[at];
  });
  const length = Math.sqrt(squaredLength(sums));
  return Float32Array.from(sums, (x) => length > 0 ? Math.max(0, x / length) : 0);
}

function imagesOf(rows: Float32Array, count: number, direction: Float32Array): Float64Array {
  const images = new Float64Array(count), keys = direction.length;
  for (let row = 0, at = 0; row < count; row++) {
    let image = 0;
    for (let j = 0; j < keys; j++, at++) image += rows[at] * direction[j];
    images[row] = image;
  }
  return images;
}

/** The bound on images with which a check of a few rows would find the largest ‖P x‖, if its rows were like these. */
function tellingImage(images: Float64Array): number {
  const sorted = images.toSorted().reverse();
  let best = { bound: 0, proven: 0 };
  for (let at = 0; at < sorted.length; at = Math.ceil(1.5 * at + 0.5)) {
    const bound = sorted[at];
    if (!(bound > 0)) continue;
    const share = Math.min(1, meanSquare(images, bound) / bound ** 2);
    const proven = bound ** 2 * lowerMeanBound(share, TYPICAL.rows, TYPICAL.delta);
    if (proven > best.proven) best = { bound, proven };
  }
  return best.bound;
}

/** Mean of squared images that count as no more than `largest`. */
function meanSquare(images: Float64Array, largest: number): number {
  return images.reduce((sum, image) => sum + Math.min(image, largest) ** 2, 0) / images.length;
}
