import process from "node:process";
import { UsageError } from "./arguments.ts";
import { printable } from "../kernels/printable.ts";
import { checkWritable, writeWhole } from "../files/write_whole.ts";

/** Where the results of a command go: files, of which one may be the standard output, and text for people. */
export interface Outputs {
  /** Prints text for people on the standard output; beside bytes there on the error stream, beside JSON there not at all. */
  print(text: string): void;
  /** Writes what an option asks for, if it was given. A file appears whole or not at all where its folder lets it. */
  write(option: string, parts: readonly Uint8Array[] | string): Promise<void>;
}

/** The value of an option that stands for the standard output. */
const STANDARD = "-";

/**
 * Opens outputs by the names of their options, before any work is done.
 *
 * @param targets The file that each option names, `-` for the standard output; undefined where it was not given.
 * @param bytes The option whose result is no text.
 * @throws {UsageError} If two go to the same place, or bytes to a terminal.
 * @throws {Error} If a file cannot be written.
 */
export async function openOutputs(
  targets: Readonly<Record<string, string | undefined>>,
  bytes?: string,
): Promise<Outputs> {
  const given = Object.entries(targets).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [at, [option, path]] of given.entries()) {
    const same = given.slice(0, at).find(([, other]) => other === path);
    if (same) {
      throw new UsageError(`--${same[0]} and --${option} must go to different places: both are ${path}`);
    }
  }
  const standard = given.find(([, path]) => path === STANDARD)?.[0];
  if (standard !== undefined && standard === bytes && process.stdout.isTTY) {
    throw new UsageError(`--${bytes} - writes bytes: they go to a file or pipe, not to a terminal`);
  }
  for (const [, path] of given) if (path !== STANDARD) await checkWritable(path);

  const forPeople = standard === undefined
    ? process.stdout
    : standard === "json"
    ? undefined
    : process.stderr;
  return {
    print: (text) => void forPeople?.write(printable(text)),
    async write(option, parts) {
      const path = Object.hasOwn(targets, option) ? targets[option] : undefined;
      if (path === STANDARD) await writeStandard(parts);
      else if (path !== undefined) await writeWhole(path, parts);
    },
  };
}

async function writeStandard(parts: readonly Uint8Array[] | string): Promise<void> {
  for (const part of typeof parts === "string" ? [parts] : parts) {
    await new Promise<void>((resolve, reject) =>
      process.stdout.write(part, (error) => error ? reject(error) : resolve())
    );
  }
}
