/**
 * Where a JSON text has a name twice in one object, which JSON.parse passes over: the names of the objects that lead
 * there, the name that is there twice last; undefined if nowhere.
 *
 * @param text Text that need not be JSON; what is found in other text means nothing.
 * @param mostLevels How deep objects and arrays may lie in each other.
 * @throws {SyntaxError} If they lie deeper, or a name is none that JSON can have.
 */
export function nameTwice(text: string, mostLevels: number): string[] | undefined {
  /** The names of each open object so far; undefined for an open array. */
  const open: (Set<string> | undefined)[] = [];
  /** The last name of each open object. */
  const path: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === "{" || char === "[") {
      if (open.push(char === "{" ? new Set() : undefined) > mostLevels) throw new SyntaxError("too deep");
    } else if (char === "}" || char === "]") {
      open.pop();
      path.length = Math.min(path.length, open.length);
    } else if (char === '"') {
      const end = endOfString(text, at), names = open.at(-1);
      if (names && isName(text, end)) {
        const name: string = JSON.parse(text.slice(at, end));
        path[open.length - 1] = name;
        if (names.has(name)) return Object.values(path);
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** The place behind the string that opens at a place. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function isName(text: string, at: number): boolean {
  while (/\s/.test(text[at])) at++;
  return text[at] === ":";
}
