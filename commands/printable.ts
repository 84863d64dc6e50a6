import process from "node:process";
import { printable, replaceCommands } from "../kernels/printable.ts";

/** The longest error message that is shown whole. */
const LONGEST_MESSAGE = 2000;

/** An error message as it is shown: printable, and its middle left out where it is very long. */
export function shownMessage(text: string): string {
  if (text.length <= LONGEST_MESSAGE) return printable(text);
  const half = LONGEST_MESSAGE / 2;
  return printable(`${text.slice(0, half)} … ${text.slice(-half)}`);
}

/** One JSON object in a line, which a terminal takes for text: JSON leaves some control characters as they are. */
export function jsonLine(value: unknown): string {
  const text = replaceCommands(
    JSON.stringify(value),
    (code) => `\\u${code.toString(16).padStart(4, "0")}`,
  );
  return `${text}\n`;
}

/** Tells the user something beside the results. */
export function warn(message: string): void {
  process.stderr.write(`${shownMessage(message)}\n`);
}
