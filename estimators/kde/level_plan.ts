import { collisionProbability } from "./euclidean_hash.ts";
import { envelope } from "./hashing_plan.ts";

/** How points at one distance range are found. */
export interface Level {
  /** Probability with which a point is kept for one draw. */
  readonly rate: number;
  /** Hash functions of a table; 0: the kept points are all looked at. */
  readonly functions: number;
  readonly width: number;
  readonly tables: number;
  /** Bound on the expected number of points that a query looks at. */
  readonly candidates: number;
}

/** The levels of a draw, and what a draw is worth. */
export interface LevelPlan {
  /** Level j at index j − 1 holds kernel values in (2^−j, 2^(1−j)], the last one all that are smaller. */
  readonly levels: readonly Level[];
  /** Variance of a draw over its squared mean, at most, for every density from the floor on. */
  readonly relativeVariance: number;
}

/** Least probability of finding a kept point of a level. */
const LEAST_INCLUSION = 0.8;
const MOST_FUNCTIONS = 24;
const MOST_TABLES = 64;
const WIDTHS = [0.5, 0.75, 1, 1.5, 2, 3, 4, 6];
const GRID = 48;

/** Index of the level of a squared distance. A point equal to the query has kernel value 1: it belongs to the first. */
export function levelOf(squaredDistance: number, levels: number): number {
  return Math.min(levels - 1, Math.floor(squaredDistance / (2 * Math.LN2)));
}

/** Probability that one of the tables of a level puts a point at a distance into the query's bucket. */
export function inclusionProbability({ functions, width, tables }: Level, distance: number): number {
  if (functions === 0) return 1;
  return -Math.expm1(tables * Math.log1p(-(collisionProbability(distance, width) ** functions)));
}

/**
 * Cuts kernel values into powers of two and chooses for each level how to find its points.
 *
 * At a density of the floor, level j has at most 2^j · n · floor points. Keeping each with probability
 * p_j = min(1, 2^−j/(n floor)) leaves about one, and Horvitz and Thompson's estimate Σ k(x)/(n p_j π(x)) over those found,
 * π(x) being the exact probability of finding x, is unbiased. With π >= c its variance is at most
 * 2/c · floor · density + (1/c − 1) · density²: the first term from keeping, since k(x)/(n p_j) <= 2 floor, the second from
 * finding, since two points are found together with probability at most that of either.
 *
 * Width, functions and tables are those with the least hash and kernel evaluations; how many kept points fall into
 * the buckets is bounded over all sets of points with that density.
 */
export function planLevels(floor: number, count: number): LevelPlan {
  const last = Math.max(1, Math.ceil(Math.log2(1 / floor)));
  const levels: Level[] = [];
  for (let j = 1; j <= last; j++) levels.push(planLevel(j, floor, count));
  const rate = Math.min(1, 1 / (2 ** last * count * floor));
  levels.push({ rate, functions: 0, width: 1, tables: 0, candidates: rate * count });
  const least = levels.reduce(
    (least, level, at) => Math.min(least, inclusionProbability(level, Math.sqrt(2 * (at + 1) * Math.LN2))),
    1,
  );
  return { levels, relativeVariance: 2 / least + 1 / least - 1 };
}

function planLevel(j: number, floor: number, count: number): Level {
  const rate = Math.min(1, 1 / (2 ** j * count * floor)), kept = rate * count;
  const radius = Math.sqrt(2 * j * Math.LN2);
  let best: Level = { rate, functions: 0, width: 1, tables: 0, candidates: kept };
  const furthest = Math.sqrt(2 * Math.log(1 / floor)) + 3;
  const distances = Array.from({ length: GRID }, (_, at) => furthest * (1 - at / (GRID - 1)));
  const kernel = distances.map((r) => Math.exp(-r * r / 2));
  for (let functions = 1; functions <= MOST_FUNCTIONS; functions++) {
    for (const factor of WIDTHS) {
      const width = factor * radius;
      const share = collisionProbability(radius, width) ** functions;
      const tables = Math.ceil(Math.log(1 - LEAST_INCLUSION) / Math.log1p(-share));
      if (tables > MOST_TABLES) continue;
      const level = { rate, functions, width, tables, candidates: 0 };
      const found = envelope(kernel, distances.map((r) => inclusionProbability(level, r)), floor);
      const candidates = kept * found;
      if (candidates + functions * tables < best.candidates + best.functions * best.tables) {
        best = { ...level, candidates };
      }
    }
  }
  return best;
}
