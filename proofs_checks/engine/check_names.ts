import { formatName } from "../../kernels/format_value.ts";

/** An error about a name that is not among the known ones. */
export function unfit(what: string, name: string, known: readonly string[]): RangeError {
  return new RangeError(
    `Cannot verify: ${what} must be one of ${known.join(", ")}: current value is ${formatName(name)}`,
  );
}
