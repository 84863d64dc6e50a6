import process from "node:process";

/** The longest error message that is shown whole. */
const LONGEST_MESSAGE = 2000;

// Control characters but tab and line feed, and the marks that reorder text: a terminal obeys them.
// deno-lint-ignore no-control-regex
const COMMANDS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text whose control characters are written out, `\x1b` for instance: names in files are no words to a terminal. */
export function printable(text: string): string {
  return text.replace(COMMANDS, (character) => {
    const code = character.charCodeAt(0);
    return code < 256
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** An error message as it is shown: printable, and its middle left out where it is very long. */
export function shownMessage(text: string): string {
  if (text.length <= LONGEST_MESSAGE) return printable(text);
  const half = LONGEST_MESSAGE / 2;
  return printable(`${text.slice(0, half)} … ${text.slice(-half)}`);
}

/** One JSON object in a line, which a terminal takes for text: JSON leaves some control characters as they are. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(
    COMMANDS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${text}\n`;
}

/** Tells the user something beside the results. */
export function warn(message: string): void {
  process.stderr.write(`${shownMessage(message)}\n`);
}
