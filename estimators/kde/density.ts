import type { Backend } from "../../kernels/backend.ts";
import type { KernelName } from "./kernels.ts";

/** What an estimator of densities is asked for. */
export interface DensityTarget {
  /** Relative error asked for, in (0, 1). */
  readonly epsilon: number;
  /** Probability with which one query's error may exceed epsilon, in (0, 1). */
  readonly delta: number;
  /** Densities from here on keep the relative error; below, the absolute error is epsilon times this. In (0, 1]. */
  readonly densityFloor: number;
  /** Integer in [0, 2^53). */
  readonly seed: number;
}

/** Answers to a batch of queries. */
export interface DensityEstimate {
  /** [queries]: ln of the mean of the kernel, as exp(−‖x − y‖²/(2h²)), over the points x; −Infinity where nothing was found. */
  readonly logDensity: Float64Array;
  /** Distances, and so kernel values, between a query and a point, over all queries. */
  readonly kernelEvaluations: number;
  /** Inner products of a query with a direction of a hash, over all queries. */
  readonly hashEvaluations: number;
  /** Inner products and distances spent on points alone, to build what the queries are looked up in. */
  readonly buildEvaluations: number;
}

/** Points made ready for queries. */
export interface DensityEstimator {
  /** Number of points. */
  readonly count: number;
  /** Length of a point and of a query. */
  readonly features: number;
  /**
   * Estimates the density at each query.
   *
   * @param queries [queries, features]
   */
  logDensity(queries: Float32Array, signal?: AbortSignal): Promise<DensityEstimate>;
}

/**
 * Makes an estimator for points [count, features] and a bandwidth in their units, 1 by default. All share this form, so that whatever is built on densities
 * takes any of them as a parameter. The kernel is "gaussian" by default, and must be for all that hash: `densityMethods` says which.
 */
export type FitDensity = (
  backend: Backend,
  points: Float32Array,
  features: number,
  target: DensityTarget,
  bandwidth?: number,
  kernel?: KernelName,
) => DensityEstimator;

/** Sums of what several steps cost. */
export class Evaluations {
  kernelEvaluations = 0;
  hashEvaluations = 0;
  buildEvaluations = 0;

  add(step: Partial<Omit<DensityEstimate, "logDensity">>): void {
    this.kernelEvaluations += step.kernelEvaluations ?? 0;
    this.hashEvaluations += step.hashEvaluations ?? 0;
    this.buildEvaluations += step.buildEvaluations ?? 0;
  }

  /** The answers with these costs. */
  with(logDensity: Float64Array): DensityEstimate {
    const { kernelEvaluations, hashEvaluations, buildEvaluations } = this;
    return { logDensity, kernelEvaluations, hashEvaluations, buildEvaluations };
  }
}
