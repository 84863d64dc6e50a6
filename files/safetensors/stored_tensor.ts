import type { ArrayLayout } from "../arrays/layout.ts";

/** What the header says about a tensor. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its values begin and end, in bytes from the end of the header. */
  readonly offsets: readonly [begin: number, end: number];
}

/** The dtypes that can be read. */
export const dtypes: ReadonlyMap<string, Pick<ArrayLayout, "kind" | "valueBytes">> = new Map([
  ["F64", { kind: "f", valueBytes: 8 }],
  ["F32", { kind: "f", valueBytes: 4 }],
  ["F16", { kind: "f", valueBytes: 2 }],
  ["BF16", { kind: "bf", valueBytes: 2 }],
  ["I64", { kind: "i", valueBytes: 8 }],
  ["I32", { kind: "i", valueBytes: 4 }],
  ["I16", { kind: "i", valueBytes: 2 }],
  ["I8", { kind: "i", valueBytes: 1 }],
  ["U64", { kind: "u", valueBytes: 8 }],
  ["U32", { kind: "u", valueBytes: 4 }],
  ["U16", { kind: "u", valueBytes: 2 }],
  ["U8", { kind: "u", valueBytes: 1 }],
  ["BOOL", { kind: "b", valueBytes: 1 }],
]);

/** How much of a value an error shows. */
const SHOWN = 80;

/**
 * Checks what a header says about one tensor.
 *
 * @param name What to call the tensor in an error.
 * @throws {TypeError} If a field is missing or of the wrong type.
 * @throws {RangeError} If its bytes are not those of its shape.
 */
export function checkEntry(entry: unknown, name: string): StoredTensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const refuse = (field: string, rule: string, value: unknown): never => {
    throw new TypeError(`Cannot read ${name}: ${field} must be ${rule}: current value is ${shown(value)}`);
  };
  if (typeof dtype !== "string") return refuse("dtype", "a string", dtype);
  if (!areCounts(shape)) return refuse("shape", "integers from 0 to 2^53 − 1", shape);
  if (!areCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return refuse("data_offsets", "two integers from 0 to 2^53 − 1, the second no less", offsets);
  }
  const [begin, end] = offsets, { valueBytes } = dtypes.get(dtype) ?? {};
  if (valueBytes !== undefined) {
    const wanted = shape.reduce((product, extent) => product * extent, valueBytes);
    if (end - begin !== wanted) {
      throw new RangeError(
        `Cannot read ${name}: data_offsets must hold ${
          shape.join(" × ") || 1
        } values of ${valueBytes} bytes, ` +
          `${wanted} in all: current value is ${shown(offsets)}`,
      );
    }
  }
  return { dtype, shape, offsets: [begin, end] };
}

function areCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

/**
 * Checks that each tensor begins where another ends, and the last ends with the file: nothing is shared, nothing hidden.
 *
 * @throws {RangeError} If not, naming the tensor.
 */
export function checkPlaces(
  tensors: ReadonlyMap<string, StoredTensor>,
  dataBytes: number,
  archive: string,
): void {
  const inOrder = [...tensors].sort(([, { offsets: a }], [, { offsets: b }]) => a[0] - b[0] || a[1] - b[1]);
  let reached = 0, before = "the header";
  for (const [name, { offsets }] of inOrder) {
    const [begin, end] = offsets, where = `Cannot read ${archive}:${name}: data_offsets must`;
    if (begin !== reached) {
      throw new RangeError(
        `${where} begin at ${reached}, where ${before} ends: current value is ${shown(offsets)}`,
      );
    }
    if (end > dataBytes) {
      throw new RangeError(
        `${where} lie in the ${dataBytes} bytes of data that the file holds: current value is ${
          shown(offsets)
        }`,
      );
    }
    [reached, before] = [end, name];
  }
  if (reached < dataBytes) {
    throw new RangeError(
      `Cannot read ${archive}: the last tensor must end with the file: ${
        dataBytes - reached
      } more bytes follow`,
    );
  }
}

/** A value as an error shows it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
