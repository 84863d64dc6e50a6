import type { Tensor } from "../../kernels/tensor.ts";
import { checkDataBytes, type Dimensions } from "../arrays/layout.ts";
import { readValues } from "../arrays/read_values.ts";
import type { ByteSource } from "../arrays/source.ts";
import { headerExtent, type NpyHeader, parseNpyHeader, PREAMBLE_BYTES } from "./header.ts";

/**
 * Reads an .npy file: f16, f32, f64, integers or truth values, of either byte order, in C or Fortran order.
 *
 * @throws {TypeError} If it is not an .npy file, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If bytes are missing or left over, or an extent or a value is out of range.
 */
export async function readNpy(source: ByteSource, name: string, dimensions: Dimensions): Promise<Tensor> {
  const header = await readHeader(source, name, dimensions);
  if (source.bytes !== undefined) checkDataBytes(header, source.bytes - header.dataOffset, name);
  const tensor = await readValues(source, header, name);
  const beyond = await source.read(new Uint8Array(1));
  checkDataBytes(header, header.size * header.valueBytes + beyond, name);
  return tensor;
}

async function readHeader(source: ByteSource, name: string, dimensions: Dimensions): Promise<NpyHeader> {
  const preamble = new Uint8Array(PREAMBLE_BYTES);
  const begun = preamble.subarray(0, await source.read(preamble));
  const { end } = headerExtent(begun, name);
  const bytes = new Uint8Array(Math.max(end, begun.length));
  bytes.set(begun);
  const filled = begun.length + await source.read(bytes.subarray(begun.length));
  return parseNpyHeader(bytes.subarray(0, Math.min(filled, end)), name, dimensions);
}
