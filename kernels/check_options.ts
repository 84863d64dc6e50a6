import { formatValue } from "./format_value.ts";

/**
 * Refuses options that nobody reads: a misspelt name would otherwise leave its default in force without a word.
 *
 * @param action What the error begins with, after "Cannot".
 * @param known Names that there are.
 * @throws {TypeError} If the options are no object of options, or one of them is unknown.
 */
export function checkOptionNames(action: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || !holdsOptions(options, known)) {
    throw new TypeError(
      `Cannot ${action}: options must be an object with names such as ${
        known.slice(0, 3).join(", ")
      }: current value is ${formatValue(options)}`,
    );
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    throw new TypeError(
      `Cannot ${action}: unknown option ${formatValue(name)}: ` +
        (near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`),
    );
  }
}

/** Whether this is a plain object, or one of a class that has some known option: a device or a promise is neither. */
function holdsOptions(options: object, known: readonly string[]): boolean {
  if (Array.isArray(options) || ArrayBuffer.isView(options)) return false;
  const prototype = Object.getPrototypeOf(options);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return plain || known.some((name) => name in options);
}

/** The known name that was probably meant, by a slip or in a longer word; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const given = name.slice(0, 60).toLowerCase();
  const ranked = known.map((other) => ({ other, distance: editDistance(given, other.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  if (ranked[0]?.distance <= Math.max(2, given.length / 3)) return ranked[0].other;
  return known.find((other) => other.length > 3 && given.includes(other.toLowerCase()));
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
