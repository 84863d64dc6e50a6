import { open } from "node:fs/promises";
import type { WorkloadOptions } from "./workload.ts";

const CHUNK_BYTES = 1 << 20;
const MARKER = '"vectors":{';

/**
 * Reads the first rows of a wink-embeddings file, `{…,"vectors":{"the":[v0, …, v99, norm, index],…}}`, without
 * ever holding the file: it is larger than a JavaScript string may be on some engines.
 *
 * @param rows How many rows to read.
 * @param features Values of a row to keep; the norm and the index that follow are checked and dropped.
 * @returns `rows` × `features` values.
 * @throws {TypeError} If the file does not have that form, or ends too early.
 */
export async function readVectorRows(
  path: string,
  rows: number,
  features: number,
  { onProgress, signal }: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<Float32Array> {
  const values = new Float32Array(rows * features);
  const file = await open(path, "r");
  try {
    const decoder = new TextDecoder(), bytes = new Uint8Array(CHUNK_BYTES);
    let text = "", found = false, row = 0;
    while (row < rows) {
      signal?.throwIfAborted();
      onProgress?.(row, rows, "reading word vectors");
      const { bytesRead } = await file.read(bytes, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) throw formError(path, `must hold ${rows} rows: it ends after row ${row}`);
      text += decoder.decode(bytes.subarray(0, bytesRead), { stream: true });
      if (!found) {
        const start = text.indexOf(MARKER);
        found = start >= 0;
        // The marker may lie across two chunks.
        text = found ? text.slice(start + MARKER.length) : text.slice(-MARKER.length);
        if (!found) continue;
      }
      let at = 0;
      while (row < rows) {
        const list = nextList(text, at);
        if (!list) break;
        const numbers = JSON.parse(list.literal) as number[];
        if (numbers.length !== features + 2 || numbers[features + 1] !== row) {
          throw formError(path, `row ${row} must hold ${features} values, their norm and its index`);
        }
        values.set(numbers.slice(0, features), row++ * features);
        at = list.end;
      }
      text = text.slice(at);
    }
    onProgress?.(rows, rows, "reading word vectors");
    return values;
  } finally {
    await file.close();
  }
}

/** The list of the entry `"word":[…],` at a position, or nothing if the text ends before the list does. */
function nextList(text: string, at: number): { literal: string; end: number } | undefined {
  let quote = at;
  do {
    quote = text.indexOf('"', quote + 1);
    if (quote < 0) return undefined;
  } while (isEscaped(text, quote));
  const end = text.indexOf("]", quote);
  return end < 0 ? undefined : { literal: text.slice(quote + 2, end + 1), end: end + 2 };
}

/** Whether an odd number of backslashes stands before a position. */
function isEscaped(text: string, position: number): boolean {
  let backslashes = 0;
  while (text[position - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

function formError(path: string, rule: string): TypeError {
  return new TypeError(`Cannot read ${path}: ${rule}`);
}
