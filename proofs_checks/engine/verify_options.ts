import type { DeviceKind } from "../../kernels/backend.ts";
import type { Device } from "../../kernels/device.ts";
import type { Choice } from "./choose_cases.ts";
import type { Code, Machine } from "./origin.ts";
import type { VerificationResult } from "./report.ts";
import { checkDevice } from "../../kernels/check_device.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import {
  checkBoolean,
  checkFields,
  checkFraction,
  checkFunction,
  checkInteger,
  checkOneOf,
  checkSignal,
  checkText,
  checkTexts,
  unfitValue,
} from "../../kernels/check_values.ts";
import { type Implementation, shipped } from "./implementation.ts";
import { type Level, levels } from "./levels.ts";

/** Options of `verify`. */
export interface VerifyOptions extends Choice {
  /** How much to undertake; "quick" by default. */
  readonly level?: Level;
  /** Most runs of a case; that of the level when left out. */
  readonly runs?: number;
  /** Integer in [0, 2^53); 1 by default. */
  readonly seed?: number;
  /** Keys; those of the level when left out. */
  readonly n?: number;
  /** Probability of failure that guarantees are asked for, between 0 and 1; that of the level when left out. */
  readonly delta?: number;
  /** Run cases index, index + count, index + 2 count, … only, `index` from 1. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** An open device, or the kind to open; "wasm" by default. */
  readonly device?: Device | DeviceKind;
  /** What is under test; the estimators of this package by default. */
  readonly implementation?: Implementation;
  /** Which code measures, for the report and the commands that repeat its cases. */
  readonly code?: Code;
  /** Which machine measures, for the report. */
  readonly machine?: Machine;
  readonly signal?: AbortSignal;
  /** When the signal aborts, gives a report of the cases that are done, in place of rejecting. */
  readonly keepPartial?: boolean;
  /** Hears of each case when it is done; its verdict may still gain from others' by Holm's procedure. */
  readonly onResult?: (result: VerificationResult, done: number, total: number) => void;
}

/** Every option of `verify`: the compiler keeps the list complete. */
const names = Object.keys(
  {
    claims: true,
    families: true,
    sources: true,
    level: true,
    runs: true,
    seed: true,
    n: true,
    delta: true,
    shard: true,
    device: true,
    implementation: true,
    code: true,
    machine: true,
    signal: true,
    keepPartial: true,
    onResult: true,
  } satisfies Record<keyof Required<VerifyOptions>, true>,
);

/**
 * Checks the types of options, and the numbers among them; names are looked up where they are used.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function checkVerify(options: VerifyOptions): void {
  checkOptionNames("verify", options, names);
  const { claims, families, sources, runs, seed, n, delta, shard, device, implementation, signal } = options;
  const { code, machine, keepPartial, onResult } = options;
  if (claims !== undefined && !Array.isArray(claims)) {
    throw unfitValue("verify", "claims", "an array of names or claims", claims, false);
  }
  if (families !== undefined) checkTexts("verify", "families", families);
  if (sources !== undefined) {
    if (!Array.isArray(sources)) {
      throw unfitValue("verify", "sources", "an array of sources of inputs", sources, false);
    }
    Array.from(sources as readonly unknown[]).forEach((source, at) =>
      checkFields("verify", `sources[${at}]`, source, { name: "string", open: "function" })
    );
  }
  if (options.level !== undefined) checkOneOf("verify", "level", options.level, levels);
  if (runs !== undefined) checkInteger("verify", "runs", runs, 1);
  if (seed !== undefined) checkInteger("verify", "seed", seed, 0);
  if (n !== undefined) checkInteger("verify", "n", n, 1);
  if (delta !== undefined) checkFraction("verify", "delta", delta);
  if (shard !== undefined) checkFields("verify", "shard", shard, { index: "number", count: "number" });
  if (device !== undefined) checkDevice("verify", "device", device);
  if (implementation !== undefined) {
    const { methods, ...parts } = shipped;
    checkFields("verify", "implementation", implementation, functionsOf(parts));
    checkFields("verify", "implementation.methods", implementation.methods, functionsOf(methods));
  }
  if (code !== undefined) {
    checkFields("verify", "code", code, { version: "string" });
    if (code.commit !== null) checkText("verify", "code.commit", code.commit);
    if (code.changes !== null) checkText("verify", "code.changes", code.changes);
  }
  if (machine !== undefined) {
    checkFields("verify", "machine", machine, { cores: "number", system: "string", runtime: "string" });
    if (machine.processor !== null) checkText("verify", "machine.processor", machine.processor);
  }
  if (signal !== undefined) checkSignal("verify", "signal", signal);
  if (keepPartial !== undefined) checkBoolean("verify", "keepPartial", keepPartial);
  if (onResult !== undefined) checkFunction("verify", "onResult", onResult);
}

function functionsOf(parts: object): Record<string, "function"> {
  return Object.fromEntries(Object.keys(parts).map((part) => [part, "function"]));
}
