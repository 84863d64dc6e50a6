/**
 * The header of the safetensors format: its length in 8 bytes, lowest first, then JSON that gives each tensor dtype, shape and
 * where its values begin and end, counted from the end of the header (https://github.com/huggingface/safetensors).
 */
import type { FileHandle } from "node:fs/promises";
import { rangeSource } from "../arrays/source.ts";
import { nameTwice } from "./name_twice.ts";
import { checkEntry, checkPlaces, shown, type StoredTensor } from "./stored_tensor.ts";

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
    const start = [...begun.subarray(0, found)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new TypeError(
      `Cannot read ${archive}: not a safetensors file: it must start with 8 bytes of length and then 7b: ` +
        (start ? `current value is ${start}` : "it is empty"),
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
