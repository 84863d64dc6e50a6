import type { Tensor } from "../../kernels/tensor.ts";
import { type ArrayLayout, checkDataBytes } from "./layout.ts";
import { rowMajor } from "./row_major.ts";
import type { ByteSource } from "./source.ts";
import { decodeValues } from "./values.ts";

/** Bytes decoded at a time: files of f64 need no second copy of themselves in memory. */
const CHUNK_BYTES = 1 << 22;

/**
 * Reads the values of an array, in C order and as 32-bit floats.
 *
 * @param source At the first value. Nothing is allocated before it is known to hold them, where that can be known.
 * @throws {RangeError} If bytes are missing, values do not fit into memory, or one is out of range.
 */
export async function readValues(source: ByteSource, layout: ArrayLayout, name: string): Promise<Tensor> {
  const data = allocate(layout, name), end = layout.size * layout.valueBytes;
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end));
  for (let at = 0; at < end; at += CHUNK_BYTES) {
    const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, end - at));
    const filled = await source.read(bytes);
    if (filled < bytes.length) checkDataBytes(layout, at + filled, name);
    decodeValues(data, at / layout.valueBytes, bytes, layout, name);
  }
  return { data: layout.fortranOrder ? rowMajor(data, layout.shape) : data, shape: layout.shape };
}

function allocate({ size, shape }: ArrayLayout, name: string): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(size);
  } catch (cause) {
    throw new RangeError(
      `Cannot read ${name}: its values must fit into memory: current shape is ${shape.join(" × ")}, ${
        4 * size
      } bytes as 32-bit floats`,
      { cause },
    );
  }
}
