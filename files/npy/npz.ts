import type { FileHandle } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import type { Tensor } from "../../kernels/tensor.ts";
import { type ArrayChoice, chooseArray } from "../arrays/choose.ts";
import type { Dimensions } from "../arrays/layout.ts";
import { type ByteSource, chunkSource, rangeSource } from "../arrays/source.ts";
import { crc32 } from "./crc32.ts";
import { readNpy } from "./read.ts";
import { readDirectory, startOf, type ZipEntry } from "./zip.ts";

/** What NumPy adds to the name of an array. */
const SUFFIX = ".npy";
const STORED = 0, DEFLATED = 8;
/** Deflate makes bytes at most this many times fewer. */
const MOST_DEFLATION = 1032;
/** Bytes of an archive that are read at a time, and bytes that are inflated at a time. */
const CHUNK_BYTES = 1 << 16;

/**
 * Reads one array of an .npz archive, a zip file as `numpy.savez` and `numpy.savez_compressed` write it.
 *
 * @throws {TypeError} If it is no such archive, or has no such array, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If the archive or the array is damaged, or an extent or a value is out of range.
 */
export async function readNpzArray(
  file: FileHandle,
  archive: string,
  choice: ArrayChoice,
  dimensions: Dimensions,
): Promise<Tensor> {
  const entries = (await readDirectory(file, archive)).filter(({ name }) => name.endsWith(SUFFIX));
  const names = entries.map(({ name }) => name.slice(0, -SUFFIX.length));
  const { name: wanted } = choice, isFileName = wanted?.endsWith(SUFFIX) && !names.includes(wanted);
  const chosen = chooseArray(names, archive, {
    ...choice,
    name: isFileName ? wanted?.slice(0, -SUFFIX.length) : wanted,
  });
  const name = `${archive}:${chosen}`;
  return await withUnpacked(
    file,
    entries[names.indexOf(chosen)],
    name,
    (source) => readNpy(source, name, dimensions),
  );
}

async function withUnpacked<T>(
  file: FileHandle,
  entry: ZipEntry,
  name: string,
  action: (source: ByteSource) => Promise<T>,
): Promise<T> {
  const { method, bytes, packedBytes, encrypted } = entry;
  if (encrypted || (method !== STORED && method !== DEFLATED)) {
    throw new TypeError(
      `Cannot read ${name}: it must be stored or deflated: current value is ${
        encrypted ? "encryption" : `zip method ${method}`
      }`,
    );
  }
  if (method === STORED ? bytes !== packedBytes : bytes > MOST_DEFLATION * packedBytes + 64) {
    throw new RangeError(
      `Cannot read ${name}: the archive is damaged: ${packedBytes} bytes cannot hold the ${bytes} that it promises`,
    );
  }
  const packed = rangeSource(file, await startOf(file, entry, name), packedBytes);
  if (method === STORED) return await action(checked(packed, entry, name));
  // Not a DecompressionStream: it inflates each chunk at once and whole, which is a thousand times the chunk where zeros are.
  const inflate = createInflateRaw({ chunkSize: CHUNK_BYTES });
  // Errors come out of the iteration below.
  pipeline(Readable.from(chunksOf(packed)), inflate, () => {});
  try {
    return await action(checked(chunkSource(explained(inflate, name)), entry, name));
  } finally {
    inflate.destroy();
  }
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  while (true) {
    const chunk = new Uint8Array(CHUNK_BYTES), filled = await source.read(chunk);
    if (filled > 0) yield chunk.subarray(0, filled);
    if (filled < chunk.length) return;
  }
}

async function* explained(inflated: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* inflated;
  } catch (cause) {
    throw new RangeError(`Cannot read ${name}: the archive is damaged: its data cannot be inflated`, {
      cause,
    });
  }
}

/** A source that compares length and checksum with what the archive says, once its end is read. */
function checked(source: ByteSource, { bytes, checksum }: ZipEntry, name: string): ByteSource {
  let read = 0, crc = 0;
  return {
    bytes,
    async read(into) {
      const filled = await source.read(into);
      crc = crc32(crc, into.subarray(0, filled));
      read += filled;
      if (filled < into.length && (read !== bytes || crc !== checksum)) {
        throw new RangeError(
          `Cannot read ${name}: the archive is damaged: ` +
            (read === bytes
              ? "its data does not have the checksum that it promises"
              : `it holds ${read} bytes of the ${bytes} that it promises`),
        );
      }
      return filled;
    },
  };
}
