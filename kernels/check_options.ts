/**
 * Refuses options that are no object, or have a name that nobody reads: a misspelt option would be ignored without a word.
 *
 * @param what What cannot be done, as in "Cannot attend".
 * @param known Every name that is read.
 * @throws {TypeError} That names the option and the known one nearest to it.
 */
export function checkOptionNames(what: string, options: unknown, known: readonly string[]): void {
  if (options === null || typeof options !== "object" || Array.isArray(options)) {
    const found = options === null ? "null" : Array.isArray(options) ? "an array" : typeof options;
    throw new TypeError(`Cannot ${what}: options must be an object: current value is ${found}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? `options are ${known.join(", ")}` : `did you mean ${nearest}?`;
    throw new TypeError(`Cannot ${what}: unknown option ${JSON.stringify(name.slice(0, 40))}: ${hint}`);
  }
}

/** The known name that a misspelt one stands for; undefined where none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // No name is so long that a longer one could be near it; comparing costs the product of the lengths.
  if (name.length > 100) return undefined;
  const found = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return found && found.distance <= Math.max(2, name.length / 3) ? found.candidate : undefined;
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
