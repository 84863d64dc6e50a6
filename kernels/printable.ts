// Control characters but tab and line feed, and the marks that reorder text: a terminal obeys them.
// deno-lint-ignore no-control-regex
const COMMANDS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text with something written for each character that a terminal obeys, by its code. */
export function replaceCommands(text: string, write: (code: number) => string): string {
  return text.replace(COMMANDS, (character) => write(character.charCodeAt(0)));
}

/** A text whose control characters are written out, `\x1b` for instance: names in files are no words to a terminal. */
export function printable(text: string): string {
  return replaceCommands(
    text,
    (code) =>
      code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`,
  );
}
