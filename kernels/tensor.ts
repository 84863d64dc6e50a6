import { checkText } from "./check_values.ts";
import { formatValue } from "./format_value.ts";

/**
 * A dense row-major array of 32-bit floats. Structural: any object of this form is accepted wherever a
 * tensor is expected.
 */
export interface Tensor {
  /** Row-major values, last dimension fastest. */
  readonly data: Float32Array;
  /** Extent of each dimension, outermost first. */
  readonly shape: readonly number[];
}

/** Number of values that a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Most extents of a shape that a text shows. */
const MOST_EXTENTS = 12;

/** The shape as people write it, `[2, 4096, 64]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.slice(0, MOST_EXTENTS).join(", ")}${shape.length > MOST_EXTENTS ? ", …" : ""}]`;
}

/**
 * Makes a tensor after checking that the shape fits the data.
 *
 * @example
 * ```ts
 * import { tensor } from "@kdeformer/kdeformer";
 * const identity = tensor([1, 0, 0, 1], [2, 2]);
 * console.log(identity.shape); // [2, 2]
 * ```
 *
 * @param data Values in row-major order; anything but a Float32Array is copied into one.
 * @param shape Positive integer extents, outermost first.
 * @throws {TypeError} If data or shape are of the wrong type, a value is not a number, or their sizes disagree.
 * @throws {RangeError} If an extent is not a positive integer.
 */
export function tensor(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  const given: unknown = data;
  if (given instanceof Float32Array && isTypedArray(given)) {
    return { data: given, shape: checkedShape("tensor", shape, given) };
  }
  checkNumbers("make a tensor", "data", given);
  const extents = checkedShape("tensor", shape, given);
  return { data: new Float32Array(given), shape: extents };
}

/**
 * Checks the form of a tensor (not its values).
 *
 * @param name What to call the tensor in an error.
 * @throws {TypeError} If it is not a tensor or its data does not fill its shape.
 * @throws {RangeError} If an extent is not a positive integer.
 */
export function checkTensor(name: string, value: unknown): asserts value is Tensor {
  checkText("read a tensor", "name", name);
  readTensor(name, value);
}

/** Reads data and shape of a tensor once, checks their form, and copies the shape, which its owner may change. */
export function readTensor(name: string, value: unknown): Tensor {
  const { data, shape } = (value ?? {}) as Partial<Tensor>;
  if (!(data instanceof Float32Array) || !isTypedArray(data)) {
    const given = value instanceof Object && "data" in value ? formatValue(data) : formatValue(value);
    throw new TypeError(
      `Cannot read ${name}: data must be a Float32Array: current value is ${given}` + adviceOn(data),
    );
  }
  return { data, shape: checkedShape(name, shape, data) };
}

/** A copy of a shape that fits some data. */
function checkedShape(name: string, shape: unknown, data: ArrayLike<number>): readonly number[] {
  if (!Array.isArray(shape)) {
    throw new TypeError(
      `Cannot read ${name}: shape must be an array of numbers: current value is ${formatValue(shape)}`,
    );
  }
  // Unlike `map`, this sees the holes of sparse arrays.
  const extents: readonly unknown[] = Array.from(shape);
  extents.forEach((extent, axis) => {
    if (!Number.isSafeInteger(extent) || (extent as number) < 1) {
      throw new RangeError(
        `Cannot read ${name}: dimension ${axis} must be a positive integer: current value is ${
          formatValue(extent)
        }`,
      );
    }
  });
  const size = sizeOf(extents as number[]);
  if (data.length !== size) {
    throw new TypeError(
      `Cannot read ${name}: shape ${
        formatShape(extents as number[])
      } needs ${size} values but data has ${data.length}` +
        (isDetached(data) ? ": its buffer was transferred" : ""),
    );
  }
  return extents as number[];
}

/** Refuses what does not hold numbers alone: they would be taken for NaN or 0, without a word. */
export function checkNumbers(
  action: string,
  name: string,
  data: unknown,
): asserts data is ArrayLike<number> {
  const rule = `Cannot ${action}: ${name} must be an array of numbers`;
  if (lengthOf(data) === undefined) {
    throw new TypeError(`${rule}: current value is ${formatValue(data)}${adviceOn(data)}`);
  }
  if (isTypedArray(data)) return;
  const values = data as ArrayLike<unknown>;
  for (let at = 0; at < values.length; at++) {
    if (typeof values[at] !== "number") {
      throw new TypeError(
        `${rule}: element ${at} is ${formatValue(values[at])}` +
          (Array.isArray(values[at]) ? ": flatten it, row after row" : ""),
      );
    }
  }
}

const typedArray = Object.getPrototypeOf(Float32Array) as { new (): unknown };

/** Whether this is a typed array of numbers; those of 64-bit integers and proxies are none. */
function isTypedArray(data: unknown): data is Float32Array {
  return ArrayBuffer.isView(data) && data instanceof typedArray &&
    !(data instanceof BigInt64Array || data instanceof BigUint64Array);
}

/** Whether this is a proxy of a typed array: those of frameworks that watch for changes have no values of their own. */
function isProxied(data: unknown): boolean {
  return data instanceof typedArray && !ArrayBuffer.isView(data);
}

/** Length of an array or of what is like one; undefined of anything else, and of proxies without values of their own. */
export function lengthOf(data: unknown): number | undefined {
  if (typeof data !== "object" || data === null || isProxied(data)) return undefined;
  const { length } = data as Partial<ArrayLike<unknown>>;
  return Number.isSafeInteger(length) && length! >= 0 ? length : undefined;
}

function adviceOn(data: unknown): string {
  if (isProxied(data)) return " behind a proxy: pass the array itself, in Vue toRaw(data)";
  const foreign = Object.prototype.toString.call(data) === "[object Float32Array]" &&
    !(data instanceof Float32Array);
  return foreign ? " of another realm: pass new Float32Array(data)" : "";
}

/** Whether the memory of an array was given away; unknown in older engines. */
function isDetached(data: ArrayLike<number>): boolean {
  const { buffer } = data as Partial<Float32Array>;
  return (buffer as { detached?: boolean } | undefined)?.detached === true;
}
