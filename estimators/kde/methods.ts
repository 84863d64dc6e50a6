import { checkOneOf, unfitName } from "../../kernels/check_values.ts";
import { ACTION } from "./check_target.ts";
import type { FitDensity } from "./density.ts";
import { exactDensity } from "./exact.ts";
import { hashingBasedDensity } from "./hashing_based.ts";
import type { KernelName } from "./kernels.ts";
import { multiLevelDensity } from "./multi_level.ts";
import { nearestNeighbourDensity } from "./nearest_neighbour.ts";
import { uniformDensity } from "./uniform.ts";

/** The estimators of densities by name. */
export const densityMethods = [
  "exact",
  "uniform",
  "hashing-based",
  "multi-level",
  "nearest-neighbour",
] as const;
/** One of {@link densityMethods}. */
export type DensityMethod = typeof densityMethods[number];

const FITS: Record<DensityMethod, FitDensity> = {
  "exact": exactDensity,
  "uniform": uniformDensity,
  "hashing-based": hashingBasedDensity,
  "multi-level": multiLevelDensity,
  "nearest-neighbour": nearestNeighbourDensity,
};

/**
 * The estimator of a name.
 *
 * @throws {TypeError} If it is not a string.
 * @throws {RangeError} If there is none.
 */
export function densityFit(method: DensityMethod): FitDensity {
  checkOneOf(ACTION, "method", method, densityMethods);
  return FITS[method];
}

/** Those that need nothing of a kernel but its values. */
const OF_EVERY_KERNEL: readonly string[] = ["exact", "uniform"];

/**
 * Checks that a method takes a kernel.
 *
 * @throws {RangeError} If it hashes, and the kernel is not the one that its hashes are made for.
 */
export function checkMethodOfKernel(method: DensityMethod, kernel: KernelName): void {
  if (kernel === "gaussian" || OF_EVERY_KERNEL.includes(method)) return;
  throw unfitName(ACTION, "method", `exact or uniform where kernel is ${kernel}`, method);
}
