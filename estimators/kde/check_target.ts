import { checkFraction, checkInteger, checkNumber, unfitValue } from "../../kernels/check_values.ts";
import type { DensityTarget } from "./density.ts";

/** What cannot be done, in errors about the arguments of all functions on densities. */
export const ACTION = "estimate densities";

/**
 * Checks what an estimator is asked for.
 *
 * @throws {TypeError} If a value is not a number.
 * @throws {RangeError} If a value is out of range.
 */
export function checkTarget({ epsilon, delta, densityFloor, seed }: DensityTarget): void {
  checkFraction(ACTION, "epsilon", epsilon);
  checkFraction(ACTION, "delta", delta);
  checkNumber(ACTION, "densityFloor", densityFloor, "in (0, 1]", (floor) => floor > 0 && floor <= 1);
  checkInteger(ACTION, "seed", seed, 0);
}

/**
 * Checks a bandwidth.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not positive and finite.
 */
export function checkBandwidth(bandwidth: number): void {
  checkNumber(ACTION, "bandwidth", bandwidth, "a positive number", (width) => width > 0 && width < Infinity);
}

/** Bandwidths from here on leave no room for the next power of two in f32. */
const LARGEST = 1e38;

/**
 * Checks rows [count, features].
 *
 * @param bandwidth In the units of the values, which must lie below `largest` bandwidths.
 *
 * @returns Their count, at least 1.
 * @throws {TypeError} If the values are no Float32Array or do not fill whole rows.
 * @throws {RangeError} If there are none, or one is not finite or too large.
 */
export function checkRows(
  name: string,
  values: Float32Array,
  features: number,
  bandwidth = 1,
  largest = LARGEST,
): number {
  checkBandwidth(bandwidth);
  if (!(values instanceof Float32Array)) throw unfitValue(ACTION, name, "a Float32Array", values, false);
  checkInteger(ACTION, "features", features, 1);
  if (values.length % features !== 0) {
    throw new TypeError(
      `Cannot ${ACTION}: ${name} must hold whole rows of ${features} features: it has ${values.length} values`,
    );
  }
  if (values.length === 0) {
    throw new RangeError(`Cannot ${ACTION}: ${name} must have at least one row`);
  }
  const bad = values.findIndex((value) => !(Math.abs(value) / bandwidth < largest));
  if (bad !== -1) {
    const unit = bandwidth === 1 ? "" : ` times the bandwidth, ${bandwidth},`;
    const rule = Number.isFinite(values[bad]) ? `below ${largest}${unit} in magnitude` : "finite";
    throw new RangeError(
      `Cannot ${ACTION}: ${name} must be ${rule}: row ${Math.floor(bad / features)}, column ${
        bad % features
      } is ${values[bad]}`,
    );
  }
  return values.length / features;
}
