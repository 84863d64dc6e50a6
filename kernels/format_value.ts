import { printable } from "./printable.ts";

/** Longest text of a value in an error. */
const MOST_CHARACTERS = 60;

/**
 * Any value in a few words, for an error. Never throws, whatever it is given, and keeps control characters out of terminals.
 */
export function formatValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      // Cut before as well, since it may be of any length.
      return printable(shortened(JSON.stringify(value.slice(0, MOST_CHARACTERS + 1))));
    case "bigint":
      return shortened(`${value}n`);
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return String(value);
  }
}

/** A name that was given where one of a list was expected: bare, if it is a word. */
export function formatName(value: unknown): string {
  return typeof value === "string" && /^[\w.+-]{1,60}$/.test(value) ? value : formatValue(value);
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  let name: unknown;
  try {
    name = Object.getPrototypeOf(value)?.constructor?.name;
  } catch {
    return "an object";
  }
  if (typeof name !== "string" || !/^\w{1,60}$/.test(name) || name === "Object") return "an object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}
