import type { DensityTarget } from "./density.ts";

/**
 * Checks what an estimator is asked for.
 *
 * @throws {TypeError} If a value is not a number.
 * @throws {RangeError} If a value is out of range.
 */
export function checkTarget(target: DensityTarget): void {
  checkFraction("epsilon", target.epsilon);
  checkFraction("delta", target.delta);
  const { densityFloor, seed } = target;
  checkNumber("densityFloor", densityFloor);
  checkNumber("seed", seed);
  if (!(densityFloor > 0 && densityFloor <= 1)) {
    throw new RangeError(
      `Cannot estimate densities: densityFloor must lie in (0, 1]: current value is ${densityFloor}`,
    );
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `Cannot estimate densities: seed must be an integer from 0 to 2^53 − 1: current value is ${seed}`,
    );
  }
}

/** @throws {TypeError} If it is not a number; NaN is one, and out of every range. */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot estimate densities: ${name} must be a number: current value is ${
        value === null ? "null" : `a ${typeof value}`
      }`,
    );
  }
}

/**
 * Checks a bandwidth.
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not positive and finite.
 */
export function checkBandwidth(bandwidth: number): void {
  checkNumber("bandwidth", bandwidth);
  if (!(bandwidth > 0 && bandwidth < Infinity)) {
    throw new RangeError(
      `Cannot estimate densities: bandwidth must be a positive number: current value is ${bandwidth}`,
    );
  }
}

function checkFraction(name: string, value: number): void {
  checkNumber(name, value);
  if (!(value > 0 && value < 1)) {
    throw new RangeError(
      `Cannot estimate densities: ${name} must lie between 0 and 1: current value is ${value}`,
    );
  }
}

/** Bandwidths from here on leave no room for the next power of two in f32. */
const LARGEST = 1e38;

/**
 * Checks rows [count, features].
 *
 * @param bandwidth In the units of the values, which must lie below `largest` bandwidths.
 *
 * @returns Their count, at least 1.
 * @throws {TypeError} If the values do not fill whole rows.
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
  if (!(values instanceof Float32Array)) {
    throw new TypeError(`Cannot estimate densities: ${name} must be a Float32Array`);
  }
  if (!Number.isSafeInteger(features) || features < 1) {
    throw new RangeError(
      `Cannot estimate densities: features must be a positive integer: current value is ${features}`,
    );
  }
  if (values.length % features !== 0) {
    throw new TypeError(
      `Cannot estimate densities: ${name} must hold whole rows of ${features} features: it has ${values.length} values`,
    );
  }
  if (values.length === 0) {
    throw new RangeError(`Cannot estimate densities: ${name} must have at least one row`);
  }
  const bad = values.findIndex((value) => !(Math.abs(value) / bandwidth < largest));
  if (bad !== -1) {
    const unit = bandwidth === 1 ? "" : ` times the bandwidth, ${bandwidth},`;
    const rule = Number.isFinite(values[bad]) ? `below ${largest}${unit} in magnitude` : "finite";
    throw new RangeError(
      `Cannot estimate densities: ${name} must be ${rule}: row ${Math.floor(bad / features)}, column ${
        bad % features
      } is ${values[bad]}`,
    );
  }
  return values.length / features;
}
