/**
 * The header of the safetensors format: its length in 8 bytes, lowest first, then JSON that gives each tensor dtype, shape and
 * where its values begin and end, counted from the end of the header (https://github.com/huggingface/safetensors).
 */
import type { FileHandle } from "node:fs/promises";
import type { ArrayLayout } from "../arrays/layout.ts";
import { rangeSource } from "../arrays/source.ts";
import { nameTwice } from "./name_twice.ts";

/** What the header says about a tensor. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where its values begin and end, in bytes from the end of the header. */
  readonly offsets: readonly [begin: number, end: number];
}

/** The tensors of a file. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Where the header ends in the file, in bytes. */
  readonly dataOffset: number;
}

/** A longer header is not worth its memory: it has room for 100,000 tensors. */
export const LARGEST_HEADER_BYTES = 1 << 24;
const LENGTH_BYTES = 8;
/** The entry that is no tensor but text about them. */
const METADATA = "__metadata__";
/** Headers have three. */
const MOST_LEVELS = 16;
/** How much of a value an error shows. */
const SHOWN = 80;

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

/**
 * Reads the header of a file, and checks that its tensors fill the file one behind another, as the format wants it.
 *
 * @throws {TypeError} If it is no .safetensors file, or an entry of its header is of the wrong type.
 * @throws {RangeError} If it is cut off, its header is too long, or tensors overlap or do not lie in the file.
 */
export async function readHeader(file: FileHandle, archive: string): Promise<SafetensorsHeader> {
  const size = (await file.stat()).size, { text, end: dataOffset } = await readText(file, size, archive);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(parse(text, archive))) {
    if (name !== METADATA) tensors.set(name, checkEntry(entry, `${archive}:${name}`));
  }
  checkPlaces(tensors, size - dataOffset, archive);
  return { tensors, dataOffset };
}

async function readText(
  file: FileHandle,
  size: number,
  archive: string,
): Promise<{ text: string; end: number }> {
  const begun = new Uint8Array(LENGTH_BYTES + 1);
  const found = await rangeSource(file, 0, size).read(begun);
  if (found < begun.length || begun[LENGTH_BYTES] !== "{".charCodeAt(0)) {
    const shown = [...begun.subarray(0, found)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new TypeError(
      `Cannot read ${archive}: not a safetensors file: it must start with 8 bytes of length and then 7b: ` +
        (shown ? `current value is ${shown}` : "it is empty"),
    );
  }
  const length = new DataView(begun.buffer).getBigUint64(0, true);
  if (length > LARGEST_HEADER_BYTES) {
    throw new RangeError(
      `Cannot read ${archive}: header must be at most ${LARGEST_HEADER_BYTES} bytes: current value is ${length}`,
    );
  }
  const end = LENGTH_BYTES + Number(length);
  const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - LENGTH_BYTES));
  const held = LENGTH_BYTES + await rangeSource(file, LENGTH_BYTES, bytes.length).read(bytes);
  if (held < end) {
    throw new RangeError(
      `Cannot read ${archive}: file is cut off in its header: wanted ${end} bytes but the file holds ${held}`,
    );
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), end };
  } catch (cause) {
    throw new TypeError(`Cannot read ${archive}: header must be UTF-8`, { cause });
  }
}

function parse(text: string, archive: string): Record<string, unknown> {
  let entries: Record<string, unknown>, twice: string[] | undefined;
  try {
    // First: deep nesting takes JSON.parse a gigabyte of memory.
    twice = nameTwice(text, MOST_LEVELS);
    entries = JSON.parse(text);
  } catch (cause) {
    throw new TypeError(
      `Cannot read ${archive}: header must be JSON of at most ${MOST_LEVELS} levels: current value is ${
        shown(text)
      }`,
      { cause },
    );
  }
  if (!twice) return entries;
  const [tensor, ...inside] = twice, what = inside.length > 0 ? `its ${inside.join(".")}` : "it";
  throw new TypeError(
    `Cannot read ${archive}:${tensor}: header must have ${what} once: it stands there twice`,
  );
}

function checkEntry(entry: unknown, name: string): StoredTensor {
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

/** Checks that each tensor begins where another ends, and the last ends with the file: nothing is shared, nothing hidden. */
function checkPlaces(tensors: ReadonlyMap<string, StoredTensor>, dataBytes: number, archive: string): void {
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

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
