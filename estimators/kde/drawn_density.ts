import type { Backend } from "../../kernels/backend.ts";
import { Turns } from "../../kernels/runtime.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import { CentredPoints } from "./centred_points.ts";
import { checkTarget } from "./check_target.ts";
import type { DensityEstimate, DensityTarget, FitDensity } from "./density.ts";
import { SearchedDensity } from "./floor_search.ts";
import { type MedianPlan, planMedianOfMeans } from "./median_of_means.ts";

/**
 * Lengths, in bandwidths, up to which hashes may be computed in f32: an inner product of length r is off by about 2^-24 r, here a
 * thousandth of a bandwidth, where hash cells are several wide.
 */
const HASH_REACH = 2 ** 13;

/** Calls between two looks at the clock. */
const CALLS_PER_TURN = 16;

/** What one draw of an estimator is worth. */
export interface DrawPlan {
  /** Variance of a draw over its squared mean, at most, for every density from the floor on. */
  readonly relativeVariance: number;
}

/** An estimator that answers with a median of means over draws, each made of hash tables that all queries share. */
export abstract class DrawnDensity<Plan extends DrawPlan> {
  /** Where draws are computed. */
  protected readonly backend: Backend;
  /** What is drawn from. */
  protected readonly points: CentredPoints;
  /** What is asked for. */
  protected readonly target: DensityTarget;
  readonly #turns = new Turns();
  readonly #plans = new Map<number, Plan>();

  constructor(backend: Backend, points: CentredPoints, target: DensityTarget) {
    this.backend = backend;
    this.points = points;
    this.target = target;
  }

  /** Plans the draws for a floor. */
  protected abstract planFor(floor: number): Plan;

  /** Kernel evaluations of one draw for one query, in expectation. */
  abstract evaluationsOfDraw(floor: number): number;

  /** Estimates densities at queries [queries, features], placed as the points are. */
  abstract estimate(
    queries: Float32Array,
    floor: number,
    delta: number,
    signal?: AbortSignal,
  ): Promise<DensityEstimate>;

  /** The plan for a floor, made once. */
  plan(floor: number): Plan {
    let plan = this.#plans.get(floor);
    if (!plan) this.#plans.set(floor, plan = this.planFor(floor));
    return plan;
  }

  /**
   * Calls `work` for each number below `count`. Between calls other events have their turn if it is time: with many queries and
   * tables, what the host does for a submission takes seconds.
   */
  protected async each(count: number, work: (at: number) => void, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < count; at++) {
      if (at % CALLS_PER_TURN === 0) await this.#turns.take(signal);
      work(at);
    }
  }

  /** How many draws it takes, and how they are grouped. */
  draws(floor: number, delta: number): MedianPlan {
    return planMedianOfMeans(this.plan(floor).relativeVariance, this.target.epsilon, delta);
  }
}

/** The way to fit an estimator that draws. */
export function fitDrawn(
  Estimator: new (
    backend: Backend,
    points: CentredPoints,
    target: DensityTarget,
  ) => DrawnDensity<DrawPlan>,
): FitDensity {
  return (backend, points, features, target, bandwidth) => {
    checkTarget(target);
    const centred = new CentredPoints(points, features, bandwidth);
    const estimator = new Estimator(backend, centred, target);
    return new SearchedDensity(backend, centred, target, (queries) => {
      if (centred.farthest(queries) > HASH_REACH) return undefined;
      return {
        kernelEvaluationsAt(floor, delta) {
          const { groups, perGroup } = estimator.draws(floor, delta);
          return groups * perGroup * estimator.evaluationsOfDraw(floor);
        },
        estimateAt: (rows, floor, delta, signal) =>
          estimator.estimate(pickRows(queries, features, rows), floor, delta, signal),
      };
    });
  };
}
