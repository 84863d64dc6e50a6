/**
 * Checks of values that come from files: each says where and what a value must be, in the first place where it is not.
 *
 * @module
 */
import { formatValue } from "../../kernels/format_value.ts";

/** Checks a value; `place` is where it is, for people. */
export type Shape = (value: unknown, place: string) => void;

function refuse(
  place: string,
  rule: string,
  value: unknown,
  kind: typeof TypeError | typeof RangeError,
): never {
  const short = value === undefined ? "missing" : formatValue(value);
  throw new kind(`${place} must be ${rule}: current value is ${short}`);
}

/** Any text. */
export function text(value: unknown, place: string): void {
  if (typeof value !== "string") refuse(place, "text", value, TypeError);
}

/** True or false. */
export function flag(value: unknown, place: string): void {
  if (typeof value !== "boolean") refuse(place, "true or false", value, TypeError);
}

/** A number, infinite ones too, which JSON does not know. */
export function number(value: unknown, place: string): void {
  if (typeof value !== "number") refuse(place, "a number", value, TypeError);
}

/** A number from least to most. */
export const numberFrom = (least: number, most: number): Shape => (value, place) => {
  number(value, place);
  if (!((value as number) >= least && (value as number) <= most)) {
    refuse(place, `from ${least} to ${most}`, value, RangeError);
  }
};

/** An integer from least to 2^53 − 1. */
export const integerFrom = (least: number): Shape => (value, place) => {
  number(value, place);
  if (!Number.isSafeInteger(value) || (value as number) < least) {
    refuse(place, `an integer from ${least} to 2^53 − 1`, value, RangeError);
  }
};

/** One of some words. */
export const oneOf = (words: readonly string[]): Shape => (value, place) => {
  if (!words.includes(value as string)) refuse(place, `one of ${words.join(", ")}`, value, RangeError);
};

/** Null, or of a shape. */
export const nullable = (shape: Shape): Shape => (value, place) => {
  if (value !== null) shape(value, place);
};

/** Left out, or of a shape: what older reports do not have. */
export const optional = (shape: Shape): Shape => (value, place) => {
  if (value !== undefined) shape(value, place);
};

/** A list, of so many entries if given. */
export const listOf = (shape: Shape, length?: number): Shape => (value, place) => {
  if (!Array.isArray(value)) refuse(place, "a list", value, TypeError);
  const list = value as unknown[];
  if (length !== undefined && list.length !== length) refuse(place, `a list of ${length}`, value, TypeError);
  // Unlike `forEach`, this sees the holes of sparse arrays.
  Array.from(list).forEach((entry, at) => shape(entry, `${place}[${at}]`));
};

/** An object with these fields, and any others, of one shape if given; `separator` stands between its place and a field's. */
export const object = (
  fields: Readonly<Record<string, Shape>>,
  { others, separator = "." }: { readonly others?: Shape; readonly separator?: string } = {},
): Shape =>
(value, place) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    refuse(place, "an object", value, TypeError);
  }
  const found = value as Record<string, unknown>;
  const under = (name: string) => `${place}${separator}${name}`;
  for (const [name, shape] of Object.entries(fields)) {
    shape(Object.hasOwn(found, name) ? found[name] : undefined, under(name));
  }
  if (!others) return;
  for (const [name, entry] of Object.entries(found)) {
    if (!Object.hasOwn(fields, name)) others(entry, under(name));
  }
};
