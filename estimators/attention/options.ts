import type { Device } from "../../kernels/device.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import type { ProblemOptions } from "../core/problem.ts";
import { type MethodName, methods } from "../methods/methods.ts";

/** How a device may hold keys and values. */
export const storageFormats = ["f32", "f16"] as const;
/** One of {@link storageFormats}. */
export type StorageFormat = typeof storageFormats[number];

/** The largest `bucketSize` and `samples`. */
export const MOST_BUDGET: number = 2 ** 30;

/** Options of `attention`. */
export interface AttentionOptions extends ProblemOptions {
  /** How to compute; "auto" by default: whatever meets the request at the least cost. */
  method?: MethodName;
  /** An open device, or the kind to use; by default the best there is, opened once and kept. */
  device?: Device | DeviceKind;
  /** Error asked for, relative to ‖P‖·‖V‖ in operator norm; in (0, 1). The output is then certified. */
  epsilon?: number;
  /** Probability with which the error may exceed epsilon; in (0, 1), 0.05 by default. */
  delta?: number;
  /** Whether the certificate rests on a bound (the default) or on a mere estimate of the error. */
  certify?: "bound" | "estimate";
  /** Keys per block of the methods that have blocks; 64 by default. */
  bucketSize?: number;
  /** Further keys per query; 128 by default. bucketSize + samples is the budget per query of every method. */
  samples?: number;
  /** Hyperplanes of the hash, 1…24; by default about one bucket per block. */
  projections?: number;
  /** Integer in [0, 2^53); 0 by default. The same seed gives the same result. */
  seed?: number;
  /**
   * How `exact` attention without epsilon holds keys and values on WebGPU: "f32", the default, or "f16", rounded to the 11
   * bits of half floats. Numbers of no more bits are not changed, if they lie no more than 2^28 below the largest of the
   * keys or of the values. Other devices always take f32.
   */
  storage?: StorageFormat;
  /** Stops the computation; the promise then rejects with its reason. */
  signal?: AbortSignal;
  /** Called with parts done and parts in all. */
  onProgress?: (done: number, total: number) => void;
}

/** Options after checking, with their defaults. */
export interface CheckedOptions {
  readonly method: MethodName;
  readonly bucketSize: number;
  readonly samples: number;
  /** Whether the caller named one of these two. */
  readonly budgetGiven: boolean;
  readonly seed: number;
  readonly delta: number;
  readonly certify: "bound" | "estimate";
  readonly storage: StorageFormat;
}

/**
 * Checks options and fills in their defaults.
 *
 * @throws {RangeError} If one is out of range.
 */
export function checkOptions(options: AttentionOptions): CheckedOptions {
  const { method = "auto", bucketSize = 64, samples = 128, projections = 1, seed = 0, delta = 0.05 } =
    options;
  const { epsilon, certify = "bound", storage = "f32" } = options;
  checkOneOf("method", method, methods);
  checkOneOf("certify", certify, ["bound", "estimate"]);
  checkOneOf("storage", storage, storageFormats);
  if (storage === "f16" && (method !== "exact" || epsilon !== undefined)) {
    throw new RangeError(
      'Cannot attend: storage "f16" takes method "exact" and no epsilon, since a certificate does not cover its ' +
        `rounding: method is ${method}, epsilon ${epsilon}`,
    );
  }
  checkInteger("bucketSize", bucketSize, 1, MOST_BUDGET);
  checkInteger("samples", samples, 1, MOST_BUDGET);
  checkInteger("projections", projections, 1, 24);
  checkInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  checkProbability("delta", delta);
  if (epsilon !== undefined) checkProbability("epsilon", epsilon);
  const budgetGiven = options.bucketSize !== undefined || options.samples !== undefined;
  return { method, bucketSize, samples, budgetGiven, seed, delta, certify, storage };
}

function checkOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new RangeError(
      `Cannot attend: ${name} must be one of ${allowed.join(", ")}: current value is ${value}`,
    );
  }
}

function checkInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(
      `Cannot attend: ${name} must be an integer from ${least} to ${most}: current value is ${value}`,
    );
  }
}

function checkProbability(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new RangeError(`Cannot attend: ${name} must lie between 0 and 1: current value is ${value}`);
  }
}
