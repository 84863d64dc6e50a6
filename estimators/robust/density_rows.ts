import { MASKED } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { Problem } from "../core/problem.ts";

/** Rows whose kernel density says which keys are outliers, in bandwidths: the kernel of two is exp(−‖x − y‖²/2). */
export interface DensityRows {
  /** [heads, keys, width]; 0 in rows of hidden keys. */
  readonly data: Float32Array;
  readonly heads: number;
  readonly keys: number;
  readonly width: number;
  /** [heads, keys]: at or below MASKED for hidden keys; undefined where all are seen. */
  readonly logWeights?: Float32Array;
}

/** What a density is of: keys with their values, or keys alone. */
export type DensityOf = "joint" | "keys";
/** Where its bandwidth comes from. */
export type BandwidthRule = "median" | "attention";

/** Rows whose pairs give a bandwidth: 8,128 distances tell a median to a few hundredths. */
const SAMPLE = 128;
/** Farther out a kernel value is 0 whatever the rest; squares of such numbers are far from the end of f32. */
const FARTHEST = 2 ** 40;

/**
 * The rows of a density and their bandwidth. By the rule "median" keys, and values, are each taken in units of the median distance
 * of two of them, and the squared bandwidth is the median squared distance of two rows so made: a typical pair has a kernel value of
 * e^(−1/2) whatever the scale and the number of features, and the medians are those of clean pairs unless outliers have a part in half
 * of all pairs, which takes 29 per cent of the keys. By "attention" rows are as they are, and the kernel is the one that softmax has but for norms,
 * exp(−scale ‖x − y‖²/2).
 */
export function densityRows(
  problem: Problem,
  of: DensityOf,
  bandwidth: BandwidthRule,
  seed: number,
): DensityRows {
  const { heads, keys, features, valueFeatures, key, value, scale, logWeights } = problem;
  const parts: Part[] = [{ rows: key, width: features }];
  if (of === "joint") parts.push({ rows: value, width: valueFeatures });
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const data = new Float32Array(heads * keys * width);
  for (let head = 0; head < heads; head++) {
    const seen = seenRows(head, keys, logWeights);
    const picks = new RandomStream(seed, Purpose.bandwidthPairs, head)
      .distinct(Math.min(SAMPLE, seen.length), seen.length).map((place) => seen[place]);
    const factors = bandwidth === "attention"
      ? parts.map(() => Math.sqrt(Math.abs(scale)))
      : medianFactors(parts, picks);
    let first = 0;
    parts.forEach((part, at) => {
      const centre = medianRow(part, picks);
      for (const row of seen) {
        for (let t = 0; t < part.width; t++) {
          const x = (part.rows[row * part.width + t] - centre[t]) * factors[at];
          data[row * width + first + t] = Math.max(-FARTHEST, Math.min(FARTHEST, x));
        }
      }
      first += part.width;
    });
  }
  return { data, heads, keys, width, logWeights };
}

/** Keys, or values: [heads · keys, width]. */
interface Part {
  readonly rows: Float32Array;
  readonly width: number;
}

/** Rows of a head that are not hidden, counted through all heads. */
export function seenRows(head: number, keys: number, logWeights?: Float32Array): Uint32Array {
  const all = Uint32Array.from({ length: keys }, (_, j) => head * keys + j);
  return logWeights ? all.filter((row) => logWeights[row] > MASKED) : all;
}

/** What each part is multiplied by. */
function medianFactors(parts: readonly Part[], picks: Uint32Array): number[] {
  const distances = parts.map((part) => pairDistances(part, picks)), units = distances.map(middleDistance);
  const joint = distances[0].map((_, pair) =>
    distances.reduce((sum, own, at) => sum + own[pair] / units[at], 0)
  );
  const squared = middleDistance(joint);
  return units.map((unit) => 1 / Math.sqrt(unit * squared));
}

function pairDistances({ rows, width }: Part, picks: Uint32Array): Float64Array {
  const found = new Float64Array(picks.length * (picks.length - 1) / 2);
  let pair = 0;
  for (let i = 0; i < picks.length; i++) {
    for (let j = 0; j < i; j++) {
      let squared = 0;
      for (let t = 0; t < width; t++) {
        squared += (rows[picks[i] * width + t] - rows[picks[j] * width + t]) ** 2;
      }
      found[pair++] = squared;
    }
  }
  return found;
}

/**
 * Median of squared distances. Where more than half of the pairs coincide it would be 0, the limit of small ones: then only copies are to
 * count as near, and the unit is such that the nearest pair that does not coincide has a kernel value of e^(−32).
 */
function middleDistance(distances: Float64Array): number {
  const sorted = distances.toSorted(), middle = sorted[(sorted.length - 1) >> 1] ?? 1;
  if (middle > 0) return middle;
  const positive = sorted.find((squared) => squared > 0);
  return positive === undefined ? 1 : positive / 64;
}

/** Median of each column over some rows: differences to it lose no digits, however far from 0 the rows lie. */
function medianRow({ rows, width }: Part, picks: Uint32Array): Float64Array {
  return Float64Array.from(
    { length: width },
    (_, t) => Float32Array.from(picks, (row) => rows[row * width + t]).sort()[(picks.length - 1) >> 1],
  );
}
