import { makeCells } from "../../estimators/kde/cells.ts";
import { CentredPoints } from "../../estimators/kde/centred_points.ts";
import { Evaluations } from "../../estimators/kde/density.ts";
import { collisionProbability } from "../../estimators/kde/euclidean_hash.ts";
import { HashingBased } from "../../estimators/kde/hashing_based.ts";
import type { HashingPlan } from "../../estimators/kde/hashing_plan.ts";
import { inclusionProbability, levelOf, type LevelPlan } from "../../estimators/kde/level_plan.ts";
import { MultiLevel } from "../../estimators/kde/multi_level.ts";
import { NearestNeighbour } from "../../estimators/kde/nearest_neighbour.ts";
import type { Backend } from "../../kernels/backend.ts";

/** A plain mean of an estimator's draws, before any median or search for a floor makes it biased. */
export type DensityDraw = typeof densityDraw;

/** Estimators that draw. */
export type DrawingMethod = "hashing-based" | "multi-level" | "nearest-neighbour";

/** What a mean of draws is asked for. */
export interface DrawRequest {
  readonly points: Float32Array;
  readonly queries: Float32Array;
  readonly features: number;
  readonly floor: number;
  readonly seed: number;
  /** Of one place from the query, in bandwidths: see {@link DrawMean.varianceOnOnePlace}. */
  readonly distance?: number;
}

/** A mean of draws. */
export interface DrawMean {
  /** [queries] */
  readonly density: Float64Array;
  /** Variance over squared density, at most, for densities from the floor on. */
  readonly relativeVariance: number;
  /** What it is where all points lie at one place, at the distance asked for; 0 where no draw is needed then. */
  readonly varianceOnOnePlace: number;
}

/** So loose that one group of draws is cheapest: the answer is then a plain mean. */
const LOOSE = { epsilon: 0.9, delta: 0.4 };

/** One plain mean of the estimators' draws. */
export async function densityDraw(
  backend: Backend,
  method: DrawingMethod,
  { points: rows, queries: raw, features, floor, seed, distance = 0 }: DrawRequest,
): Promise<DrawMean> {
  const points = new CentredPoints(rows, features), queries = points.place(raw);
  const target = { ...LOOSE, densityFloor: floor, seed };
  if (method === "nearest-neighbour") {
    const cells = await makeCells(backend, points, seed, new Evaluations());
    const estimator = new NearestNeighbour(backend, points, cells, queries, target);
    const all = Uint32Array.from({ length: queries.length / features }, (_, row) => row);
    const { logDensity } = await estimator.estimateAt(all, floor, LOOSE.delta);
    // The draws that Bernstein's inequality asks for leave at most this, (2 + 2ε/3) ln(2/δ) kappa floor/(ε² floor) draws of variance
    // at most kappa · density.
    const relativeVariance = LOOSE.epsilon ** 2 /
      ((2 + 2 * LOOSE.epsilon / 3) * Math.log(2 / LOOSE.delta));
    return { density: logDensity.map(Math.exp), relativeVariance, varianceOnOnePlace: 0 };
  }
  const hashing = method === "hashing-based" ? new HashingBased(backend, points, target) : undefined;
  const levels = hashing ? undefined : new MultiLevel(backend, points, target),
    estimator = hashing ?? levels!;
  const { groups, perGroup } = estimator.draws(floor, LOOSE.delta);
  if (groups !== 1) throw new Error("Cannot check unbiasedness: a median of several means was planned");
  const { logDensity } = await estimator.estimate(queries, floor, LOOSE.delta);
  const { kept, found } = hashing
    ? ofTable(hashing.plan(floor), distance)
    : ofLevel(levels!.plan(floor), distance, points.count);
  return {
    density: logDensity.map(Math.exp),
    relativeVariance: estimator.plan(floor).relativeVariance / perGroup,
    // A draw counts the points that it keeps, a binomial number, if it finds their place.
    varianceOnOnePlace: ((1 + Math.max(0, 1 - kept / points.count) / kept) / found - 1) / perGroup,
  };
}

/** How many points a draw keeps, and the probability that it finds those of one place. */
interface OnePlace {
  readonly kept: number;
  readonly found: number;
}

function ofTable({ tablePoints, functions, width }: HashingPlan, distance: number): OnePlace {
  return { kept: tablePoints, found: collisionProbability(distance, width) ** functions };
}

function ofLevel({ levels }: LevelPlan, distance: number, count: number): OnePlace {
  const level = levels[levelOf(distance ** 2, levels.length)];
  return { kept: level.rate * count, found: inclusionProbability(level, distance) };
}
