import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../core/problem.ts";
import { lowerOperatorNorm } from "../linear_algebra/power_iteration.ts";
import { type RoundingBounds, roundingBounds } from "./rounding_bound.ts";
import { pickRows, type ValueGeometry, valueGeometry } from "./value_geometry.ts";

/** What does not depend on the output, of one query head; computed once for repeated checks. */
export interface HeadGeometry extends ValueGeometry {
  /** A vector x >= 0 of the keys, in f32 and about a unit long, with ‖P x‖ close to ‖P‖; found on probe rows. */
  readonly direction: Float32Array;
  /** ‖P x‖ estimated from the probe rows: for planning, not a bound. */
  readonly softmaxNormEstimate: number;
  /** Rows probed for the direction. */
  readonly probes: number;
  /** What exact rows may err by through rounding, of all heads. */
  readonly bounds: RoundingBounds;
}

/** Rows probed for the direction in which P is large. */
const PROBES = 48;

/**
 * Geometry of each query head: query heads that share a key head share its values, but each has a softmax matrix of its
 * own.
 *
 * @param seed Seed of the check, which the method must not know.
 * @param values As of `valueGeometry`, and `bounds` as of `roundingBounds`, where they are known.
 */
export async function headGeometry(
  backend: Backend,
  problem: Problem,
  seed: number,
  signal?: AbortSignal,
  values: readonly ValueGeometry[] = valueGeometry(problem),
  bounds: RoundingBounds = roundingBounds(backend, problem),
): Promise<HeadGeometry[]> {
  const { heads, queries, period, keys, features, scale, queryCentre } = problem, group = queries / period;
  const probes = Math.min(PROBES, period), geometry: HeadGeometry[] = [];
  for (let head = 0; head < heads * group; head++) {
    const keyHead = Math.floor(head / group);
    const drawn = new RandomStream(seed, Purpose.certificate, head).distinct(probes, period);
    const query = pickRows(problem.query.subarray(head * period * features), drawn, features);
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
    const [rows] = await backend.run([probabilities], signal);
    backend.reset();
    const { norm, direction } = lowerOperatorNorm(rows, probes, keys), value = values[keyHead];
    geometry.push({
      ...value,
      direction: Float32Array.from(direction, (x) => Math.max(0, x)),
      probes,
      softmaxNormEstimate: Math.max(Math.sqrt(period / value.visible), norm * Math.sqrt(period / probes)),
      bounds,
    });
  }
  return geometry;
}
