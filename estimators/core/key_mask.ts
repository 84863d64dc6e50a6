import { EMPTY } from "../../kernels/backend.ts";
import { formatValue } from "../../kernels/format_value.ts";
import { lengthOf } from "../../kernels/tensor.ts";

/**
 * What a key mask adds to the logits: [heads, keys], 0 or EMPTY.
 *
 * @param mask [keys] or [heads, keys]
 * @throws {TypeError} If it is no array of a fitting length, or an entry is no number or boolean.
 * @throws {RangeError} If an entry is a number other than 0 and 1.
 */
export function maskWeights(mask: unknown, heads: number, keys: number): Float32Array {
  const entries = checkedEntries(mask, heads, keys), { length } = entries;
  const weights = new Float32Array(heads * keys);
  for (let at = 0; at < length; at++) {
    const entry = entries[at];
    if (entry === 0 || entry === false) weights[at] = EMPTY;
    else if (entry !== 1 && entry !== true) throw unfitEntry(entry, at);
  }
  for (let filled = length; filled < weights.length; filled += length) {
    weights.copyWithin(filled, 0, length);
  }
  return weights;
}

function checkedEntries(mask: unknown, heads: number, keys: number): ArrayLike<unknown> {
  const length = lengthOf(mask);
  if (length === undefined) {
    throw new TypeError(
      `Cannot attend: keyMask must be an array of 0 and 1, or false and true: current value is ${
        formatValue(mask)
      }`,
    );
  }
  if (length !== keys && length !== heads * keys) {
    const ofAll = heads > 1 ? `, or ${heads * keys} for ${heads} heads` : "";
    throw new TypeError(`Cannot attend: keyMask must have ${keys} entries${ofAll}: it has ${length}`);
  }
  return mask as ArrayLike<unknown>;
}

function unfitEntry(entry: unknown, at: number): Error {
  const message = `Cannot attend: keyMask must hold 0 and 1, or false and true: entry ${at} is ${
    formatValue(entry)
  }`;
  if (typeof entry !== "number") return new TypeError(message);
  return new RangeError(
    entry < 0
      ? `${message}: additive masks (0 keeps, -Infinity hides) are not key masks: pass mask[j] === 0`
      : message,
  );
}

/** Zeroes the rows of hidden keys, so that nothing that is said of all rows depends on them. */
export function clearHidden(rows: Float32Array, width: number, weights: Float32Array): void {
  for (let row = 0; row < weights.length; row++) {
    if (weights[row] !== 0) rows.fill(0, row * width, (row + 1) * width);
  }
}
