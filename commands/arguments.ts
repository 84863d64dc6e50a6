import { parseArgs } from "node:util";

/** A mistake in how the command line was used: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One option of a command. */
export interface OptionSpec {
  readonly kind: "flag" | "text" | "list" | "number" | "integer";
  /** What stands for the value in the help text. */
  readonly value?: string;
  readonly help: string;
}

/** Option values by name; absent when not given. */
export type OptionValues<S extends Record<string, OptionSpec>> = {
  readonly [K in keyof S]?: S[K]["kind"] extends "flag" ? boolean
    : S[K]["kind"] extends "text" ? string
    : S[K]["kind"] extends "list" ? readonly string[]
    : number;
};

/**
 * Reads options strictly.
 *
 * @throws {UsageError} On an unknown option (with the nearest known one), a missing value or a malformed number.
 */
export function readOptions<S extends Record<string, OptionSpec>>(
  command: string,
  specs: S,
  args: readonly string[],
): OptionValues<S> {
  const { tokens } = parseArgs({
    args: [...args],
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
    const spec = specs[token.name];
    if (!spec) {
      throw new UsageError(
        unknownName(`option ${token.rawName}`, token.rawName, Object.keys(specs).map((name) => `--${name}`)),
      );
    }
    const value = readValue(token.rawName, spec, token.value);
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

function readValue(name: string, spec: OptionSpec, value: string | undefined): boolean | string | number {
  if (spec.kind === "flag") {
    if (value !== undefined) throw new UsageError(`${name} takes no value: got "${value}"`);
    return true;
  }
  if (value === undefined || value === "") throw new UsageError(`${name} needs a value: ${spec.value}`);
  if (spec.kind === "text" || spec.kind === "list") return value;
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
  const nearest =
    known.map((candidate) => [editDistance(name, candidate), candidate] as const).sort((a, b) =>
      a[0] - b[0]
    )[0];
  const hint = nearest && nearest[0] <= Math.max(2, name.length / 3) ? `; did you mean ${nearest[1]}?` : "";
  return `Unknown ${what}${hint}`;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
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
