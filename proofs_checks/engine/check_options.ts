import { checkDevice } from "../../kernels/check_device.ts";
import { checkOptionNames } from "../../kernels/check_options.ts";
import {
  checkBoolean,
  checkFields,
  checkFunction,
  checkInteger,
  checkSignal,
  checkTexts,
  unfitValue,
} from "../../kernels/check_values.ts";
import { shipped } from "./implementation.ts";
import type { VerifyOptions } from "./verify.ts";

/** Every option of `verify`: the compiler keeps the list complete. */
const names = Object.keys(
  {
    claims: true,
    families: true,
    sources: true,
    runs: true,
    seed: true,
    n: true,
    shard: true,
    device: true,
    implementation: true,
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
  const { claims, families, sources, runs, seed, n, shard, device, implementation, signal } = options;
  const { keepPartial, onResult } = options;
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
  if (runs !== undefined) checkInteger("verify", "runs", runs, 1);
  if (seed !== undefined) checkInteger("verify", "seed", seed, 0);
  if (n !== undefined) checkInteger("verify", "n", n, 1);
  if (shard !== undefined) checkFields("verify", "shard", shard, { index: "number", count: "number" });
  if (device !== undefined) checkDevice("verify", "device", device);
  if (implementation !== undefined) {
    const { methods, ...parts } = shipped;
    checkFields("verify", "implementation", implementation, functionsOf(parts));
    checkFields("verify", "implementation.methods", implementation.methods, functionsOf(methods));
  }
  if (signal !== undefined) checkSignal("verify", "signal", signal);
  if (keepPartial !== undefined) checkBoolean("verify", "keepPartial", keepPartial);
  if (onResult !== undefined) checkFunction("verify", "onResult", onResult);
}

function functionsOf(parts: object): Record<string, "function"> {
  return Object.fromEntries(Object.keys(parts).map((part) => [part, "function"]));
}
