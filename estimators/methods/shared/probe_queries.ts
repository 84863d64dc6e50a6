import type { RandomStream } from "../../../kernels/random.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";

/** How many queries of each kind have their softmax rows computed exactly. */
export interface ProbeCounts {
  /** Drawn uniformly, to fit to. */
  readonly uniform: number;
  /** The most outlying ones, to fit to. */
  readonly outlying: number;
  /** Drawn uniformly, to test the fit. */
  readonly heldOut: number;
}

/** Outlying queries are looked for among so many for each of them, within these bounds. */
const CANDIDATES_EACH = 128, LEAST_CANDIDATES = 512, MOST_CANDIDATES = 1024;

/**
 * Distinct rows of queries [count, width]: the uniform ones, then the outlying, then those held out. The farthest
 * queries are no sample of the others, but a fit that has never seen them extrapolates there, and attention to
 * centroids does so exponentially.
 */
export function chooseProbes(
  query: Float32Array,
  count: number,
  width: number,
  { uniform, outlying, heldOut }: ProbeCounts,
  stream: RandomStream,
): Uint32Array {
  const wanted = Math.max(LEAST_CANDIDATES, Math.min(MOST_CANDIDATES, CANDIDATES_EACH * outlying));
  const candidates = scatteredPlaces(count, Math.max(wanted, 2 * outlying));
  const far = outlying === 0
    ? new Uint32Array()
    : largest(leverages(query, width, candidates), outlying).map((at) => candidates[at]);
  const isFar = new Uint8Array(count);
  for (const row of far) isFar[row] = 1;
  const others = new Uint32Array(count - outlying);
  for (let row = 0, at = 0; row < count; row++) if (!isFar[row]) others[at++] = row;
  const drawn = stream.distinct(uniform + heldOut, others.length).map((at) => others[at]);
  const rows = new Uint32Array(uniform + outlying + heldOut);
  rows.set(drawn.subarray(0, uniform));
  rows.set(far, uniform);
  rows.set(drawn.subarray(uniform), uniform + outlying);
  return rows;
}

/** Σ_c (x_c − mean_c)² / variance_c of each picked row, how far out it lies among them. */
export function leverages(rows: Float32Array, width: number, picks: Uint32Array): Float64Array {
  const taken = picks.length, sum = new Float64Array(width), square = new Float64Array(width);
  for (let i = 0; i < taken; i++) {
    for (let c = 0, at = picks[i] * width; c < width; c++, at++) {
      const x = rows[at] - rows[c];
      sum[c] += x;
      square[c] += x * x;
    }
  }
  const precision = new Float64Array(width), mean = new Float64Array(width);
  for (let c = 0; c < width; c++) {
    const variance = square[c] / taken - (sum[c] / taken) ** 2;
    mean[c] = rows[c] + sum[c] / taken;
    precision[c] = variance > 0 ? 1 / variance : 0;
  }
  const leverage = new Float64Array(taken);
  for (let i = 0; i < taken; i++) {
    let total = 0;
    for (let c = 0, at = picks[i] * width; c < width; c++, at++) {
      const x = rows[at] - mean[c];
      total += x * x * precision[c];
    }
    leverage[i] = total;
  }
  return leverage;
}

/** Places of the `wanted` largest values, the largest first, equal ones in their order. */
function largest(values: Float64Array, wanted: number): Uint32Array {
  const places = new Uint32Array(wanted);
  if (wanted === 0) return places;
  let found = 0;
  for (let at = 0; at < values.length; at++) {
    if (found === wanted && !(values[at] > values[places[found - 1]])) continue;
    let slot = found < wanted ? found++ : found - 1;
    for (; slot > 0 && values[at] > values[places[slot - 1]]; slot--) places[slot] = places[slot - 1];
    places[slot] = at;
  }
  return places;
}
