import { type FileHandle, open, stat } from "node:fs/promises";
import type { Tensor } from "../../kernels/tensor.ts";
import { fileError } from "../file_error.ts";
import { checkDataBytes, headerExtent, type NpyHeader, parseNpyHeader, PREAMBLE_BYTES } from "./header.ts";
import { decodeValues } from "./values.ts";

/** Bytes decoded at a time: files of f64 need no second copy of themselves in memory. */
const CHUNK_BYTES = 1 << 22;

/**
 * Reads an .npy file: f16, f32 or f64 of either byte order, C order, 2 to 4 dimensions. Nothing is allocated
 * before the file is known to hold what its header promises.
 *
 * @throws {TypeError} If it is not an .npy file, or its dtype, order or rank is none that a tensor can have.
 * @throws {RangeError} If bytes are missing or left over, or an extent or a value is out of range.
 * @throws {Error} If the file cannot be opened or read.
 */
export async function readNpy(path: string): Promise<Tensor> {
  return await withFile(path, async (file, fileBytes) => {
    const header = await readHeader(file, path);
    checkDataBytes(header, fileBytes, path);
    const data = new Float32Array(header.size);
    const end = header.size * header.valueBytes;
    for (let at = 0; at < end; at += CHUNK_BYTES) {
      const length = Math.min(CHUNK_BYTES, end - at);
      const bytes = await readAt(file, header.dataOffset + at, length);
      if (bytes.length < length) checkDataBytes(header, header.dataOffset + at + bytes.length, path);
      decodeValues(data, at / header.valueBytes, bytes, header, path);
    }
    return { data, shape: header.shape };
  });
}

/** Reads the header of an .npy file and checks that the file has the length that it promises. */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  return await withFile(path, async (file, fileBytes) => {
    const header = await readHeader(file, path);
    checkDataBytes(header, fileBytes, path);
    return header;
  });
}

async function readHeader(file: FileHandle, path: string): Promise<NpyHeader> {
  const { end } = headerExtent(await readAt(file, 0, PREAMBLE_BYTES), path);
  return parseNpyHeader(await readAt(file, 0, end), path);
}

/** Reads until `length` bytes or the end of the file: one call of `read` may return less. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function withFile<T>(
  path: string,
  action: (file: FileHandle, fileBytes: number) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    // Before `open`, which would wait for the other end of a pipe.
    const found = await stat(path);
    if (!found.isFile()) {
      throw new TypeError(
        `Cannot read ${path}: it must be a file: current value is a ${
          found.isDirectory() ? "folder" : "device or pipe"
        }`,
      );
    }
    file = await open(path, "r");
    return await action(file, found.size);
  } catch (error) {
    const explained = error instanceof Error && error.message.startsWith(`Cannot read ${path}: `);
    throw explained ? error : fileError("read", path, error);
  } finally {
    await file?.close();
  }
}
