import { UsageError } from "./arguments.ts";

/** Options of the library whose name on the command line is another. */
const NAMES: Readonly<Record<string, string>> = { bucketSize: "bucket" };

/**
 * Runs a check of the library on values that come from the command line: what it refuses is a mistake in the use of the
 * command, and is said in the command line's words.
 *
 * @throws {UsageError} If the check throws a RangeError.
 */
export function usageOf<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [, name, rule, value] =
      /^Cannot [^:]*: (\w+) (must .*?): current value is (.*)$/s.exec(error.message) ??
        [];
    if (name === undefined) throw new UsageError(error.message, { cause: error });
    const option = Object.hasOwn(NAMES, name) ? NAMES[name] : name;
    throw new UsageError(`--${option} ${rule}: got ${value}`, { cause: error });
  }
}
