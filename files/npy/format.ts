import type { Tensor } from "../../kernels/tensor.ts";

/** NumPy pads headers to this, so that the values can be mapped into memory. */
const ALIGNMENT = 64;

/** The header, format version 1.0, that `numpy.save` writes for a little-endian f32 array of this shape. */
export function formatNpyHeader(shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const end = Math.ceil((10 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT;
  const text = dictionary.padEnd(end - 10 - 1) + "\n";
  const bytes = new Uint8Array(end);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 0xff, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  return bytes;
}

/**
 * The bytes of a tensor's values, lowest byte first. A view: every engine that Deno, Bun and browsers run on
 * is little-endian.
 */
export function valueBytes(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
