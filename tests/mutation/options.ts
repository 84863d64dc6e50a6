import { parseArgs } from "node:util";
import { type Level, levels } from "./claims_to_try.ts";
import { RESULTS_FILE } from "./results.ts";
import { type Effort, efforts } from "./verify_mutant.ts";

/** What `deno task mutants` is asked for. */
export interface Options {
  readonly level: Level;
  /** `--level` of the verifications. */
  readonly verify: Effort;
  /** Identifiers of mutants; all that are listed when left out. */
  readonly only?: readonly string[];
  /** Claims to try in the place of those that may notice. */
  readonly claims?: readonly string[];
  /** Mutants to be made up, and the seed that picks them. */
  readonly generated: number;
  readonly seed: number;
  readonly tests: boolean;
  /** Whether all mutants are put into one tree, at once; no results are kept. */
  readonly together: boolean;
  readonly workers: number;
  /** Where results are kept and taken from. */
  readonly json: string;
  /** Whether those that were not noticed are tried again, others not. */
  readonly survivors: boolean;
}

/**
 * Reads the command line.
 *
 * @throws {Error} If something of it is unknown.
 */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      level: { type: "string", default: "line" },
      verify: { type: "string", default: "quick" },
      only: { type: "string" },
      claims: { type: "string" },
      generated: { type: "string", default: "0" },
      seed: { type: "string", default: "1" },
      tests: { type: "boolean", default: false },
      together: { type: "boolean", default: false },
      workers: { type: "string", default: "1" },
      json: { type: "string", default: RESULTS_FILE },
      survivors: { type: "boolean", default: false },
    },
  });
  const whole = (name: "generated" | "seed" | "workers", least: number) => {
    const number = Number(values[name]);
    if (Number.isSafeInteger(number) && number >= least) return number;
    throw new Error(`--${name} must be an integer of at least ${least}: current value is ${values[name]}`);
  };
  const level = levels.find((name) => name === values.level);
  if (!level) {
    throw new Error(`--level must be one of ${levels.join(", ")}: current value is ${values.level}`);
  }
  const verify = efforts.find((name) => name === values.verify);
  if (!verify) {
    throw new Error(`--verify must be one of ${efforts.join(", ")}: current value is ${values.verify}`);
  }
  return {
    ...values,
    level,
    verify,
    only: values.only?.split(","),
    claims: values.claims?.split(","),
    generated: whole("generated", 0),
    seed: whole("seed", 0),
    workers: whole("workers", 1),
  };
}
