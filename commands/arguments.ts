import { parseArgs } from "node:util";
import { nearestName } from "../kernels/check_options.ts";

/** A mistake in how the command line was used: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One option of a command. */
export interface OptionSpec {
  readonly kind: "flag" | "text" | "target" | "list" | "number" | "integer";
  /** What stands for the value in the help text. */
  readonly value?: string;
  readonly help: string;
}

/** Option values by name; absent when not given. */
export type OptionValues<S extends Record<string, OptionSpec>> = {
  readonly [K in keyof S]?: S[K]["kind"] extends "flag" ? boolean
    : S[K]["kind"] extends "text" | "target" ? string
    : S[K]["kind"] extends "list" ? readonly string[]
    : number;
};

/**
 * Reads options strictly. A target names a file; where no word follows that could be one, it is `-`, the standard output.
 *
 * @throws {UsageError} On an unknown option (with the nearest known one), a missing value or a malformed number.
 */
export function readOptions<S extends Record<string, OptionSpec>>(
  command: string,
  specs: S,
  args: readonly string[],
): OptionValues<S> {
  const { tokens } = parseArgs({
    args: withTargets(specs, args),
    options: Object.fromEntries(
      Object.entries(specs).map((
        [name, { kind }],
      ) => [name, { type: kind === "flag" ? "boolean" : "string" } as const]),
    ),
    strict: false,
    tokens: true,
  });
  const values: Record<string, boolean | string | number | string[]> = {};
  let list: string[] | undefined;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (list) {
        list.push(token.value);
        continue;
      }
      throw new UsageError(`Unexpected argument "${token.value}" after ${command}`);
    }
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (!spec) {
      throw new UsageError(
        unknownName(`option ${token.rawName}`, token.rawName, Object.keys(specs).map((name) => `--${name}`)),
      );
    }
    const value = readValue(token.rawName, spec, token.value, token.inlineValue);
    list = undefined;
    if (spec.kind === "list") {
      // Words that follow belong to the option too: --claim A B.
      list = (values[token.name] ?? []) as string[];
      list.push(value as string);
    }
    values[token.name] = list ?? value;
  }
  return values as OptionValues<S>;
}

/**
 * Takes the word that a command begins with, which is no option: a file.
 *
 * @returns It, and the words after it.
 * @throws {UsageError} If there is none.
 */
export function takeOperand(command: string, what: string, args: readonly string[]): [string, string[]] {
  const [operand, ...rest] = args;
  if (operand === undefined || operand === "" || isOption(operand)) {
    throw new UsageError(`${command} needs ${what}, before its options`);
  }
  return [operand, rest];
}

/** Gives targets without a value the value `-`. */
function withTargets(specs: Record<string, OptionSpec>, args: readonly string[]): string[] {
  return args.map((word, at) => {
    const name = /^--([^=]+)$/.exec(word)?.[1], next = args[at + 1];
    const isTarget = name !== undefined && Object.hasOwn(specs, name) && specs[name].kind === "target";
    return isTarget && (next === undefined || isOption(next)) ? `${word}=-` : word;
  });
}

function isOption(word: string): boolean {
  return /^-./.test(word);
}

/** @param isInline Whether the value was written with an equals sign; it may then begin with a hyphen. */
function readValue(
  name: string,
  spec: OptionSpec,
  value: string | undefined,
  isInline: boolean | undefined,
): boolean | string | number {
  if (spec.kind === "flag") {
    if (value !== undefined) throw new UsageError(`${name} takes no value: got "${value}"`);
    return true;
  }
  if (value === undefined || value === "") throw new UsageError(`${name} needs a value: ${spec.value}`);
  const isNumber = spec.kind === "number" || spec.kind === "integer";
  if (!isInline && isOption(value) && !(isNumber && Number.isFinite(Number(value)))) {
    throw new UsageError(
      `${name} needs a value: ${spec.value}; what follows is ${value}, which can be given as ${name}=${value}`,
    );
  }
  if (!isNumber) return value;
  const number = Number(value);
  if (!Number.isFinite(number) || value.trim() === "") {
    throw new UsageError(`${name} must be a number: got "${value}"`);
  }
  if (spec.kind === "integer" && !Number.isInteger(number)) {
    throw new UsageError(`${name} must be an integer: got "${value}"`);
  }
  return number;
}

/** Says that a name is unknown and which known one is nearest. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  return `Unknown ${what}${suggestion(name, known)}`;
}

/**
 * Refuses a value that is none of those allowed.
 *
 * @throws {UsageError} Naming them, and the nearest.
 */
export function checkOneOf(option: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new UsageError(
    `--${option} must be one of ${allowed.join(", ")}: got "${value}"${suggestion(value, allowed)}`,
  );
}

function suggestion(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

/** Longest line of a help text. */
const LINE_WIDTH = 100;

/** The lines of a help text that describe options. */
export function describeOptions(specs: Record<string, OptionSpec>): string {
  const heads = Object.entries(specs).map(([name, { value }]) => `  --${name}${value ? ` ${value}` : ""}`);
  const width = Math.max(...heads.map((head) => head.length)) + 2;
  return Object.values(specs).map(({ help }, at) =>
    heads[at].padEnd(width) + wrap(help, LINE_WIDTH - width).join(`\n${" ".repeat(width)}`)
  ).join("\n");
}

/** Breaks a text at spaces into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
