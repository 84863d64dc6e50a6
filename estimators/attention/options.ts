import { freshSeed } from "../certified/check_seed.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import { checkDevice } from "../../kernels/check_device.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import {
  checkFraction,
  checkFunction,
  checkInteger,
  checkOneOf,
  checkSignal,
} from "../../kernels/check_values.ts";
import type { Device } from "../../kernels/device.ts";
import type { ProblemOptions } from "../core/problem.ts";
import { approximateMethods, type MethodName, methods } from "../methods/methods.ts";

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
  /**
   * Error asked for of each query head, relative to ‖P‖·‖V‖ in operator norm; in (0, 1). The output is then certified:
   * against attention in real numbers, rounding included, so that there is a least epsilon that f32 can keep.
   */
  epsilon?: number;
  /** Probability with which the error may exceed epsilon; in (0, 1), 0.05 by default. */
  delta?: number;
  /** Whether the certificate rests on a bound (the default) or on a mere estimate of the error, which is no guarantee. */
  certify?: "bound" | "estimate";
  /**
   * Error asked for of the output of each head, ‖Att~ − Att‖ / ‖Att‖ in operator norm, as estimated from rows that are computed exactly and
   * to which nothing is fitted; in (0, 1). Budget and method are chosen for it, so that it takes method "auto" and no budget.
   * `stats.target` tells the estimate with its interval. It is no certificate: for that there is `epsilon`.
   */
  tolerance?: number;
  /**
   * Key evaluations per query, all that a method prepares included, in place of bucketSize and samples, which share it one to two: an
   * integer of at least 2, for methods that keep to their budget.
   */
  budget?: number;
  /** Keys per block of the methods that have blocks; 64 by default. */
  bucketSize?: number;
  /** Further keys per query; 128 by default. bucketSize + samples is the budget per query of every method. */
  samples?: number;
  /** Hyperplanes of the hash, 1…24; by default about one bucket per block. */
  projections?: number;
  /**
   * Seed of the method: integer in [0, 2^53); 0 by default. The same seed gives the same result, but with epsilon only
   * together with the same `checkSeed`: the rows that were checked are exact in the output.
   */
  seed?: number;
  /**
   * Seed of the rows that a certificate checks: integer in [0, 2^53). By default one that nobody can know beforehand, on
   * which the guarantee rests: give one only to repeat a result, from `certificate.checkSeed`.
   */
  checkSeed?: number;
  /**
   * How `exact` attention holds keys and values on WebGPU: "f32", the default, or "f16", rounded to the 11
   * bits of half floats. Numbers of no more bits are not changed, if they lie no more than 2^20 below the largest of the
   * keys, or of the values, that are seen in their head. Other devices always take f32. With epsilon the certificate covers what is rounded.
   */
  storage?: StorageFormat;
  /** Stops the call, while a device opens or is busy as well; the promise then rejects with its reason. */
  signal?: AbortSignal;
  /** Called with parts done and parts in all. */
  onProgress?: (done: number, total: number) => void;
}

/** Every option of {@link AttentionOptions}: the compiler keeps the list complete. */
const attentionOptionNames: readonly string[] = Object.keys(
  {
    scale: true,
    causal: true,
    keyMask: true,
    method: true,
    device: true,
    epsilon: true,
    delta: true,
    certify: true,
    tolerance: true,
    budget: true,
    bucketSize: true,
    samples: true,
    projections: true,
    seed: true,
    checkSeed: true,
    storage: true,
    signal: true,
    onProgress: true,
  } satisfies Record<keyof Required<AttentionOptions>, true>,
);

/** Options after checking, with their defaults; a copy, which later changes to the caller's object do not reach. */
export interface CheckedOptions extends Readonly<AttentionOptions> {
  readonly method: MethodName;
  readonly bucketSize: number;
  readonly samples: number;
  /** Whether the caller named one of these two. */
  readonly budgetGiven: boolean;
  readonly seed: number;
  readonly checkSeed: number;
  readonly delta: number;
  readonly certify: "bound" | "estimate";
  readonly storage: StorageFormat;
}

/**
 * Checks options and fills in their defaults. What makes the problem, scale, causal and keyMask, is checked with its tensors.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkOptions(options: AttentionOptions): CheckedOptions {
  checkOptionNames("attend", options, attentionOptionNames);
  // Each is read once, so that what was checked is what is used.
  const { scale, causal, keyMask, device, epsilon, tolerance, projections, signal, onProgress } = options;
  const { method = "auto", budget, seed = 0, delta = 0.05 } = options;
  const { certify = "bound", storage = "f32" } = options;
  const { checkSeed = epsilon === undefined ? 0 : freshSeed() } = options;
  checkOneOf("attend", "method", method, methods);
  if (budget !== undefined) checkBudget(budget, method, options);
  const share = budget === undefined ? undefined : Math.max(1, Math.round(budget / 3));
  const { bucketSize = share ?? 64, samples = share === undefined ? 128 : budget! - share } = options;
  checkOneOf("attend", "certify", certify, ["bound", "estimate"]);
  checkOneOf("attend", "storage", storage, storageFormats);
  checkInteger("attend", "bucketSize", bucketSize, 1, MOST_BUDGET);
  checkInteger("attend", "samples", samples, 1, MOST_BUDGET);
  if (projections !== undefined) checkInteger("attend", "projections", projections, 1, 24);
  checkInteger("attend", "seed", seed, 0);
  checkInteger("attend", "checkSeed", checkSeed, 0);
  checkFraction("attend", "delta", delta);
  if (epsilon !== undefined) checkFraction("attend", "epsilon", epsilon);
  if (tolerance !== undefined) checkTolerance(tolerance, options);
  checkRun({ device, signal, onProgress });
  if (storage === "f16" && method !== "exact") {
    throw new RangeError(
      `Cannot attend: storage "f16" takes method "exact": current value of method is "${method}"`,
    );
  }
  const budgetGiven = budget !== undefined || options.bucketSize !== undefined ||
    options.samples !== undefined;
  return {
    ...{ scale, causal, keyMask, device, epsilon, tolerance, projections, signal, onProgress },
    ...{ method, bucketSize, samples, budgetGiven, seed, checkSeed, delta, certify, storage },
  };
}

/** Only methods whose whole cost a budget covers take one. */
function checkBudget(budget: number, method: MethodName, options: AttentionOptions): void {
  checkInteger("attend", "budget", budget, 2, MOST_BUDGET);
  for (const name of ["bucketSize", "samples"] as const) {
    if (options[name] === undefined) continue;
    throw new RangeError(`Cannot attend: budget takes no ${name}: current value is ${options[name]}`);
  }
  if (method === "auto" || method !== "exact" && approximateMethods[method].withinBudget) return;
  const why = method === "exact" ? "has none" : "prepares beyond it; give bucketSize and samples";
  throw new RangeError(`Cannot attend: budget takes a method that keeps to it: ${method} ${why}`);
}

/** A tolerance decides all that these would. */
function checkTolerance(tolerance: number, options: AttentionOptions): void {
  checkFraction("attend", "tolerance", tolerance);
  const others = ["epsilon", "budget", "bucketSize", "samples", "projections"] as const;
  for (const name of others) {
    if (options[name] === undefined) continue;
    throw new RangeError(`Cannot attend: tolerance takes no ${name}: current value is ${options[name]}`);
  }
  if (options.method !== undefined && options.method !== "auto") {
    throw new RangeError(
      `Cannot attend: tolerance takes method "auto": current value is "${options.method}"`,
    );
  }
}

/** Checks where and how a computation runs. */
export function checkRun(
  { device, signal, onProgress }: Pick<AttentionOptions, "device" | "signal" | "onProgress">,
): void {
  if (device !== undefined) checkDevice("attend", "device", device);
  if (signal !== undefined) checkSignal("attend", "signal", signal);
  if (onProgress !== undefined) checkFunction("attend", "onProgress", onProgress);
}
