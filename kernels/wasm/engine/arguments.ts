import type { DeviceArray } from "../../backend.ts";
import { argumentClasses } from "../arguments.generated.ts";
import { ARGUMENTS, OPERATION_BYTES } from "./layout.ts";

/** An array in WebAssembly memory. */
export interface WasmArray extends DeviceArray {
  readonly address: number;
}

type Classes = typeof argumentClasses;
/** A class that tasks read their arguments as. */
export type ArgumentsName = keyof Classes;
/** Its fields: addresses are given as arrays, 0 as `undefined`. */
export type Fields<Name extends ArgumentsName> = {
  readonly [Field in keyof Classes[Name]]: Classes[Name][Field] extends "usize" ? DeviceArray | undefined
    : number;
};

/** 32-bit words of an operation's arguments. */
const MOST_WORDS = (OPERATION_BYTES - ARGUMENTS) / 4;

interface Place {
  readonly field: string;
  readonly type: string;
  /** In words. */
  readonly at: number;
}

/** Where the fields of a class lie, as AssemblyScript lays them out; each class once. */
const layouts = new Map<ArgumentsName, { readonly places: readonly Place[]; readonly words: number }>();

function layoutOf(name: ArgumentsName) {
  let layout = layouts.get(name);
  if (!layout) {
    let words = 0;
    const places = Object.entries(argumentClasses[name]).map(([field, type]): Place => {
      const size = type === "f64" ? 2 : 1, at = Math.ceil(words / size) * size;
      words = at + size;
      return { field, type, at };
    });
    if (words > MOST_WORDS) {
      throw new RangeError(
        `Cannot record an operation: ${name} takes ${words} words but ${MOST_WORDS} is the most`,
      );
    }
    layout = { places, words };
    layouts.set(name, layout);
  }
  return layout;
}

const single = new Float32Array(1), singleBits = new Uint32Array(single.buffer);
const double = new Float64Array(1), doubleBits = new Uint32Array(double.buffer);

/**
 * The arguments of an operation as 32-bit words.
 *
 * @throws {TypeError} If a field is missing, or given and unknown; the message names it.
 */
export function packArguments<Name extends ArgumentsName>(
  name: Name,
  fields: Fields<Name>,
): readonly number[] {
  const { places, words } = layoutOf(name), values = valuesInOrder(name, places, fields);
  const packed: number[] = Array(words).fill(0);
  for (let i = 0; i < places.length; i++) {
    const { type, at } = places[i], value = values[i];
    if (type === "usize") packed[at] = (value as WasmArray | undefined)?.address ?? 0;
    else if (type === "f32") {
      single[0] = value as number;
      packed[at] = singleBits[0];
    } else if (type === "f64") {
      double[0] = value as number;
      packed[at] = doubleBits[0];
      packed[at + 1] = doubleBits[1];
    } else packed[at] = value as number;
  }
  return packed;
}

/** The values of fields in the order of their class, in which they mostly are given: looking each up takes longer. */
function valuesInOrder(name: ArgumentsName, places: readonly Place[], fields: object): unknown[] {
  const names = Object.keys(fields), values: unknown[] = Object.values(fields);
  if (names.length === places.length && places.every(({ field }, at) => names[at] === field)) return values;
  const missing = places.find(({ field }) => !names.includes(field));
  if (missing) throw new TypeError(`Cannot record an operation: ${name} lacks ${missing.field}`);
  if (names.length > places.length) {
    const unknown = names.find((name) => !places.some(({ field }) => field === name));
    throw new TypeError(`Cannot record an operation: ${name} has no ${unknown}`);
  }
  return places.map(({ field }) => values[names.indexOf(field)]);
}
