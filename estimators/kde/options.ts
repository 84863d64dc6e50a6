import type { DeviceKind } from "../../kernels/backend.ts";
import type { Device } from "../../kernels/device.ts";
import { checkTensor, formatShape, type Tensor } from "../../kernels/tensor.ts";
import type { DensityTarget } from "./density.ts";
import type { DensityMethod } from "./methods.ts";

/** Options of what is built on densities. */
export interface DensityOptions {
  /** How to estimate: "uniform" by default, which computes exactly where that costs no more. */
  method?: DensityMethod;
  /** Relative error asked for, in (0, 1); 0.1 by default. */
  epsilon?: number;
  /** Probability with which one answer's error may exceed it, in (0, 1); 0.05 by default. */
  delta?: number;
  /**
   * Densities from here on, in (0, 1], keep the relative error; 0.001 by default. Below, the absolute error
   * is at most epsilon times this.
   */
  densityFloor?: number;
  /** Integer in [0, 2^53); 0 by default. The same seed gives the same result. */
  seed?: number;
  /** An open device, or the kind to use; by default the best there is, opened once and kept. */
  device?: Device | DeviceKind;
  /** Stops the computation; the promise then rejects with its reason. */
  signal?: AbortSignal;
}

/** What is asked of an estimator when nothing is said. */
export const DEFAULT_TARGET: DensityTarget = { epsilon: 0.1, delta: 0.05, densityFloor: 1e-3, seed: 0 };

/** The target that options stand for. */
export function targetOf(options: DensityOptions): DensityTarget {
  const { epsilon, delta, densityFloor, seed } = options;
  return {
    epsilon: epsilon ?? DEFAULT_TARGET.epsilon,
    delta: delta ?? DEFAULT_TARGET.delta,
    densityFloor: densityFloor ?? DEFAULT_TARGET.densityFloor,
    seed: seed ?? DEFAULT_TARGET.seed,
  };
}

/**
 * Checks that a tensor is a matrix of rows.
 *
 * @returns Its number of features.
 * @throws {TypeError} If it is not.
 */
export function featuresOf(name: string, rows: Tensor): number {
  checkTensor(name, rows);
  if (rows.shape.length !== 2) {
    throw new TypeError(
      `Cannot estimate densities: ${name} must have 2 dimensions: current shape is ${
        formatShape(rows.shape)
      }`,
    );
  }
  return rows.shape[1];
}

/**
 * Features of points and of queries, which must agree.
 *
 * @throws {TypeError} If they do not.
 */
export function commonFeatures(points: Tensor, queries: Tensor): number {
  const features = featuresOf("points", points), ofQueries = featuresOf("queries", queries);
  if (features !== ofQueries) {
    throw new TypeError(
      `Cannot estimate densities: queries have ${ofQueries} features but points have ${features}`,
    );
  }
  return features;
}

/**
 * Rows divided by the bandwidth, for which the kernel's is 1.
 *
 * @throws {RangeError} If the bandwidth is not a positive number.
 */
export function scaledRows({ data }: Tensor, bandwidth: number): Float32Array {
  if (!(bandwidth > 0 && bandwidth < Infinity)) {
    throw new RangeError(
      `Cannot estimate densities: bandwidth must be a positive number: current value is ${bandwidth}`,
    );
  }
  return bandwidth === 1 ? data : data.map((x) => x / bandwidth);
}
