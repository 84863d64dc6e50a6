import type { attention } from "../../estimators/attention/attention.ts";
import { type MethodName, methods } from "../../estimators/methods/methods.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import type { Device } from "../../kernels/device.ts";

/** Options of `measureComparison`. */
export interface ComparisonOptions {
  /** All by default; exact attention is always measured. */
  readonly methods?: readonly MethodName[];
  /** Each f, at least 2, stands for f samples and ⌊f/2⌋ keys per block; 64, 128 and 256 by default. */
  readonly budgets?: readonly number[];
  /** How many seeds errors are taken over, 3 by default. */
  readonly seeds?: number;
  /** First seed, 1 by default. */
  readonly seed?: number;
  /** Timed rounds, 5 by default. */
  readonly repeat?: number;
  readonly causal?: boolean;
  readonly device?: Device | DeviceKind;
  readonly signal?: AbortSignal;
  /** The command that repeats the measurement. */
  readonly replay?: string;
  readonly onProgress?: (done: number, total: number, what: string) => void;
  /** Attends; `attention` by default. */
  readonly attend?: typeof attention;
}

/** Options after checking, with their defaults. */
export type CheckedComparison =
  & ComparisonOptions
  & Required<Pick<ComparisonOptions, "methods" | "budgets" | "seeds" | "seed" | "repeat">>;

/**
 * Checks options and fills in their defaults; what is named twice counts once.
 *
 * @throws {RangeError} If one is out of range.
 */
export function checkComparison(options: ComparisonOptions): CheckedComparison {
  const { seeds = 3, seed = 1, repeat = 5 } = options;
  const budgets = [...new Set(options.budgets ?? [64, 128, 256])];
  const named = [...new Set(options.methods ?? methods)];
  for (const budget of budgets) checkInteger("every budget", budget, 2);
  checkInteger("seeds", seeds, 1);
  checkInteger("seed", seed, 0);
  checkInteger("repeat", repeat, 1);
  const unknown = named.find((name) => !methods.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot compare: methods must be among ${methods.join(", ")}: current value is ${unknown}`,
    );
  }
  return { ...options, methods: named, budgets, seeds, seed, repeat };
}

function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(
      `Cannot compare: ${name} must be an integer of at least ${least}: current value is ${value}`,
    );
  }
}
