import type { attention } from "../../estimators/attention/attention.ts";
import { type MethodName, methods } from "../../estimators/methods/methods.ts";
import type { DeviceKind } from "../../kernels/backend.ts";
import { checkDevice } from "../../kernels/check_device.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import {
  checkBoolean,
  checkFields,
  checkFunction,
  checkInteger,
  checkOneOf,
  checkSignal,
  checkText,
  checkTexts,
  unfitValue,
} from "../../kernels/check_values.ts";
import type { Device } from "../../kernels/device.ts";
import { checkTensor } from "../../kernels/tensor.ts";
import type { MemoryQuestion } from "../scaling/options.ts";
import type { NamedInput } from "../inputs/family.ts";

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
  /** Measures memory, in bytes; where it is left out memory is not measured. */
  readonly peakMemory?: (
    input: NamedInput,
    question: Pick<MemoryQuestion, "device" | "options">,
  ) => Promise<number | null>;
  /** Attends; `attention` by default. */
  readonly attend?: typeof attention;
}

/** Options after checking, with their defaults. */
export type CheckedComparison =
  & ComparisonOptions
  & Required<Pick<ComparisonOptions, "methods" | "budgets" | "seeds" | "seed" | "repeat">>;

/** Every option of `measureComparison`: the compiler keeps the list complete. */
const names = Object.keys(
  {
    methods: true,
    budgets: true,
    seeds: true,
    seed: true,
    repeat: true,
    causal: true,
    device: true,
    signal: true,
    replay: true,
    onProgress: true,
    peakMemory: true,
    attend: true,
  } satisfies Record<keyof Required<ComparisonOptions>, true>,
);

/**
 * Checks the form of an input; `attention` checks its values.
 *
 * @throws {TypeError} If a field is missing or of the wrong type.
 */
export function checkComparisonInput(input: NamedInput): void {
  checkFields("compare", "input", input, { name: "string", description: "string", scale: "number" });
  for (const name of ["query", "key", "value"] as const) checkTensor(`input.${name}`, input[name]);
}

/**
 * Checks options and fills in their defaults; what is named twice counts once.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkComparison(options: ComparisonOptions): CheckedComparison {
  checkOptionNames("compare", options, names);
  const { seeds = 3, seed = 1, repeat = 5, causal, device, signal, replay, onProgress, attend, peakMemory } =
    options;
  if (options.methods !== undefined) checkTexts("compare", "methods", options.methods);
  if (options.budgets !== undefined && !Array.isArray(options.budgets)) {
    throw unfitValue("compare", "budgets", "an array of integers", options.budgets, false);
  }
  if (causal !== undefined) checkBoolean("compare", "causal", causal);
  if (device !== undefined) checkDevice("compare", "device", device);
  if (signal !== undefined) checkSignal("compare", "signal", signal);
  if (replay !== undefined) checkText("compare", "replay", replay);
  if (onProgress !== undefined) checkFunction("compare", "onProgress", onProgress);
  if (attend !== undefined) checkFunction("compare", "attend", attend);
  if (peakMemory !== undefined) checkFunction("compare", "peakMemory", peakMemory);
  const budgets = [...new Set(options.budgets ?? [64, 128, 256])];
  const named = [...new Set(options.methods ?? methods)];
  for (const budget of budgets) checkInteger("compare", "every budget", budget, 2);
  checkInteger("compare", "seeds", seeds, 1);
  checkInteger("compare", "seed", seed, 0);
  checkInteger("compare", "repeat", repeat, 1);
  for (const name of named) checkOneOf("compare", "every method", name, methods);
  return { ...options, methods: named, budgets, seeds, seed, repeat };
}
