import type { DensityTarget } from "./density.ts";

/**
 * Checks what an estimator is asked for.
 *
 * @throws {RangeError} If a value is out of range.
 */
export function checkTarget(target: DensityTarget): void {
  checkFraction("epsilon", target.epsilon);
  checkFraction("delta", target.delta);
  const { densityFloor, seed } = target;
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

function checkFraction(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new RangeError(
      `Cannot estimate densities: ${name} must lie between 0 and 1: current value is ${value}`,
    );
  }
}

/** Magnitudes from here on may overflow f32 when squared and summed. */
const LARGEST = 1e15;

/**
 * Checks rows [count, features].
 *
 * @returns Their count, at least 1.
 * @throws {TypeError} If the values do not fill whole rows.
 * @throws {RangeError} If there are none, or one is not finite or too large.
 */
export function checkRows(name: string, values: Float32Array, features: number): number {
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
  const bad = values.findIndex((value) => !(Math.abs(value) < LARGEST));
  if (bad !== -1) {
    const rule = Number.isFinite(values[bad]) ? `below ${LARGEST} in magnitude` : "finite";
    throw new RangeError(
      `Cannot estimate densities: ${name} must be ${rule}: row ${Math.floor(bad / features)}, column ${
        bad % features
      } is ${values[bad]}`,
    );
  }
  return values.length / features;
}
