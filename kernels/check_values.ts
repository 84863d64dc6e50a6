import { formatName, formatValue } from "./format_value.ts";

function unfit(action: string, requirement: string, shown: string, fits: boolean): Error {
  const message = `Cannot ${action}: ${requirement}: current value is ${shown}`;
  return fits ? new RangeError(message) : new TypeError(message);
}

/** Says which argument breaks which rule: a RangeError where at least the type fits, else a TypeError. */
export function unfitValue(action: string, name: string, rule: string, value: unknown, fits: boolean): Error {
  return unfit(action, `${name} must be ${rule}`, formatValue(value), fits);
}

/** Says that a name is none of those there are. */
export function unfitName(action: string, name: string, rule: string, value: unknown): Error {
  return unfit(action, `${name} must be ${rule}`, formatName(value), typeof value === "string");
}

/** Refuses what is not one of some names. */
export function checkOneOf(action: string, name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === "string" && allowed.includes(value)) return;
  throw unfitName(action, name, `one of ${allowed.join(", ")}`, value);
}

/** Refuses what is not an integer from `least` to `most`. */
export function checkInteger(
  action: string,
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  const end = most === Number.MAX_SAFE_INTEGER ? "2^53 − 1" : most;
  checkNumber(
    action,
    name,
    value,
    `an integer from ${least} to ${end}`,
    (number) => Number.isInteger(number) && number >= least && number <= most,
  );
}

/** Refuses what is not a number that fits, as the rule says it. */
export function checkNumber(
  action: string,
  name: string,
  value: unknown,
  rule: string,
  fits: (value: number) => boolean,
): void {
  const isNumber = typeof value === "number";
  if (!isNumber || !fits(value)) throw unfitValue(action, name, rule, value, isNumber);
}

/** Refuses what is not a finite number. */
export function checkFinite(action: string, name: string, value: unknown): void {
  checkNumber(action, name, value, "a finite number", Number.isFinite);
}

/** Refuses what does not lie between 0 and 1. */
export function checkFraction(action: string, name: string, value: unknown): void {
  const isNumber = typeof value === "number";
  if (isNumber && value > 0 && value < 1) return;
  throw unfit(action, `${name} must lie between 0 and 1`, formatValue(value), isNumber);
}

/** Refuses what is neither true nor false. */
export function checkBoolean(action: string, name: string, value: unknown): void {
  if (typeof value !== "boolean") throw unfitValue(action, name, "true or false", value, false);
}

/** Refuses what cannot be called. */
export function checkFunction(action: string, name: string, value: unknown): void {
  if (typeof value !== "function") throw unfitValue(action, name, "a function", value, false);
}

/** Refuses what is not of text. */
export function checkText(action: string, name: string, value: unknown): void {
  if (typeof value !== "string") throw unfitValue(action, name, "a string", value, false);
}

/** Refuses what cannot abort; signals of another realm or library are as good as this one's. */
export function checkSignal(action: string, name: string, value: unknown): void {
  const { aborted, throwIfAborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (
    typeof aborted !== "boolean" || typeof throwIfAborted !== "function" ||
    typeof addEventListener !== "function"
  ) {
    throw unfitValue(action, name, "an AbortSignal", value, false);
  }
}

/** Refuses what is not a list of strings. */
export function checkTexts(action: string, name: string, value: unknown): void {
  if (!Array.isArray(value)) throw unfitValue(action, name, "an array of strings", value, false);
  Array.from(value).forEach((one, at) => checkText(action, `${name}[${at}]`, one));
}

/** Refuses what is not an object with the methods and fields asked for, by their types. */
export function checkFields(
  action: string,
  name: string,
  value: unknown,
  fields: Readonly<Record<string, "string" | "number" | "array" | "function">>,
): void {
  if (typeof value !== "object" || value === null) {
    throw unfitValue(action, name, `an object with ${Object.keys(fields).join(", ")}`, value, false);
  }
  for (const [field, type] of Object.entries(fields)) {
    const found = (value as Record<string, unknown>)[field];
    const kind: string = Array.isArray(found) ? "array" : typeof found;
    if (kind === type) continue;
    throw unfitValue(action, `${name}.${field}`, type === "array" ? "an array" : `a ${type}`, found, false);
  }
}
