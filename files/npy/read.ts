import type { Tensor } from "../../kernels/tensor.ts";
import { fileError } from "../file_error.ts";
import {
  checkDataBytes,
  type Dimensions,
  headerExtent,
  type NpyHeader,
  parseNpyHeader,
  PREAMBLE_BYTES,
  TENSOR_DIMENSIONS,
} from "./header.ts";
import { withEntry } from "./npz.ts";
import { rowMajor } from "./row_major.ts";
import { type ByteSource, withSource } from "./source.ts";
import { decodeValues } from "./values.ts";

/** Bytes decoded at a time: files of f64 need no second copy of themselves in memory. */
const CHUNK_BYTES = 1 << 22;

/**
 * Reads an .npy file: f16, f32, f64, integers or truth values, of either byte order, in C or Fortran order. Nothing is
 * allocated before a file is known to hold what its header promises.
 *
 * @param path A file, pipe or device; `-` for the standard input; `FILE.npz`, or `FILE.npz:NAME` for one array of several.
 * @param dimensions The least and the most dimensions, 2 and 4 by default.
 * @throws {TypeError} If it is not an .npy file, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If bytes are missing or left over, or an extent or a value is out of range.
 * @throws {Error} If the file cannot be opened or read.
 */
export async function readNpy(path: string, dimensions: Dimensions = TENSOR_DIMENSIONS): Promise<Tensor> {
  const shown = path === "-" ? "the standard input" : path;
  try {
    const [, archive, entry] = /^(.+?\.npz)(?::(.+))?$/i.exec(path) ?? [];
    if (archive === undefined) {
      return await withSource(path, shown, (source) => readSource(source, shown, dimensions));
    }
    return await withSource(archive, archive, (_, file) => {
      if (!file) {
        throw new TypeError(`Cannot read ${archive}: an archive must be a file: it is a pipe or device`);
      }
      return withEntry(file, archive, entry, (source, name) => readSource(source, name, dimensions));
    });
  } catch (error) {
    const explained = error instanceof Error && error.message.startsWith("Cannot read ");
    throw explained ? error : fileError("read", shown, error);
  }
}

async function readSource(source: ByteSource, name: string, dimensions: Dimensions): Promise<Tensor> {
  const header = await readHeader(source, name, dimensions);
  if (source.bytes !== undefined) checkDataBytes(header, source.bytes, name);
  const data = allocate(header, name), end = header.size * header.valueBytes;
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end));
  for (let at = 0; at < end; at += CHUNK_BYTES) {
    const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, end - at));
    const filled = await source.read(bytes);
    if (filled < bytes.length) checkDataBytes(header, header.dataOffset + at + filled, name);
    decodeValues(data, at / header.valueBytes, bytes, header, name);
  }
  const beyond = await source.read(new Uint8Array(1));
  checkDataBytes(header, header.dataOffset + end + beyond, name);
  return { data: header.fortranOrder ? rowMajor(data, header.shape) : data, shape: header.shape };
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

function allocate({ size, shape }: NpyHeader, name: string): Float32Array<ArrayBuffer> {
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
