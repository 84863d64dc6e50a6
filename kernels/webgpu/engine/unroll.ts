/**
 * Writes out loops of the form `for (var i = 0u; i < NAME; i++) { … }` whose bound is one of `definitions`, with
 * the counter replaced by its values. Mesa's CPU driver (22.3) keeps an array that is indexed by a loop counter in
 * memory, which is 10 times slower than registers and, inside a loop with a branch, yields wrong values; after
 * unrolling every index is a constant.
 */
export function unroll(source: string, definitions: Readonly<Record<string, number>>): string {
  const loop = /for \(var (\w+) = 0u; \1 < (\w+); \1\+\+\) \{/g;
  for (let match = loop.exec(source); match !== null; match = loop.exec(source)) {
    const [head, counter, bound] = match;
    const times = definitions[bound];
    if (times === undefined) continue;
    const end = closingBrace(source, match.index + head.length);
    const body = source.slice(match.index + head.length, end);
    const name = new RegExp(`\\b${counter}\\b`, "g");
    const copies = Array.from({ length: times }, (_, i) => `{${body.replace(name, `${i}u`)}}`);
    source = source.slice(0, match.index) + copies.join("\n") + source.slice(end + 1);
    // The copies may hold further loops.
    loop.lastIndex = match.index;
  }
  return source;
}

/** Where the block that was opened before `start` is closed. */
function closingBrace(source: string, start: number): number {
  let depth = 1;
  for (let at = start; at < source.length; at++) {
    if (source[at] === "{") depth++;
    else if (source[at] === "}" && --depth === 0) return at;
  }
  throw new SyntaxError("Cannot unroll a kernel: a loop has no closing brace");
}
