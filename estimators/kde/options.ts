import type { DeviceKind } from "../../kernels/backend.ts";
import { checkDevice } from "../../kernels/check_device.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import { checkOneOf, checkSignal } from "../../kernels/check_values.ts";
import type { Device } from "../../kernels/device.ts";
import { checkTensor, formatShape, type Tensor } from "../../kernels/tensor.ts";
import { ACTION, checkBandwidth, checkTarget } from "./check_target.ts";
import type { DensityTarget, FitDensity } from "./density.ts";
import { type KernelName, kernelNames } from "./kernels.ts";
import { checkMethodOfKernel, densityFit, type DensityMethod } from "./methods.ts";

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

/** Names of {@link DensityOptions}. */
const NAMES: readonly (keyof DensityOptions)[] = [
  "method",
  "epsilon",
  "delta",
  "densityFloor",
  "seed",
  "device",
  "signal",
];

/** Options after checking, with their defaults. */
export interface CheckedDensityOptions {
  readonly method: DensityMethod;
  readonly fit: FitDensity;
  readonly kernel: KernelName;
  readonly target: DensityTarget;
  readonly bandwidth: number;
  readonly device?: Device | DeviceKind;
  readonly signal?: AbortSignal;
}

/**
 * Checks options and fills in their defaults.
 *
 * @param without Names that these options lack.
 * @param further Names that they have besides.
 * @throws {TypeError} If there are none, or one has an unknown name or is of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkDensityOptions(
  options: DensityOptions & { bandwidth?: number; kernel?: KernelName },
  { without = [], further = [] }: { without?: readonly string[]; further?: readonly string[] } = {},
): CheckedDensityOptions {
  const known = [...NAMES, ...further].filter((name) => !without.includes(name));
  checkOptionNames(ACTION, options, known);
  const { method = "uniform", kernel = "gaussian", bandwidth = 1, device, signal } = options;
  const { epsilon = 0.1, delta = 0.05, densityFloor = 1e-3, seed = 0 } = options;
  const target: DensityTarget = { epsilon, delta, densityFloor, seed };
  checkTarget(target);
  checkBandwidth(bandwidth);
  if (device !== undefined) checkDevice(ACTION, "device", device);
  if (signal !== undefined) checkSignal(ACTION, "signal", signal);
  const fit = densityFit(method);
  checkOneOf(ACTION, "kernel", kernel, kernelNames);
  checkMethodOfKernel(method, kernel);
  return { method, fit, kernel, target, bandwidth, device, signal };
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
      `Cannot ${ACTION}: ${name} must have 2 dimensions: current shape is ${formatShape(rows.shape)}`,
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
      `Cannot ${ACTION}: queries have ${ofQueries} features but points have ${features}`,
    );
  }
  return features;
}
