import type { FileHandle } from "node:fs/promises";
import { crc32 } from "./crc32.ts";
import { type ByteSource, chunkSource, rangeSource } from "./source.ts";
import { readDirectory, type ZipEntry } from "./zip.ts";

const STORED = 0, DEFLATED = 8;
/** Deflate makes bytes at most this many times fewer. */
const MOST_DEFLATION = 1032;
/** Bytes of an archive that are decompressed at a time. */
const CHUNK_BYTES = 1 << 16;
/** How many names an error lists. */
const LISTED = 20;

/**
 * Reads one array of an .npz archive, a zip file as `numpy.savez` and `numpy.savez_compressed` write it.
 *
 * @param entry The array's name, which may be left out where there is one alone.
 * @param action Given the bytes of the .npy file and what to call it.
 * @throws {TypeError} If it is no such archive, or has no such array.
 * @throws {RangeError} If the archive is damaged.
 */
export async function withEntry<T>(
  file: FileHandle,
  archive: string,
  entry: string | undefined,
  action: (source: ByteSource, name: string) => Promise<T>,
): Promise<T> {
  const chosen = choose(await readDirectory(file, archive), archive, entry);
  const name = `${archive}:${chosen.name.replace(/\.npy$/, "")}`;
  const { method, bytes, packedBytes, encrypted } = chosen;
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
  const packed = rangeSource(file, chosen.start, packedBytes);
  const source = method === STORED ? packed : inflated(packed, name);
  return await action(checked(source, chosen, name), name);
}

function choose(entries: readonly ZipEntry[], archive: string, wanted: string | undefined): ZipEntry {
  const arrays = entries.filter(({ name }) => name.endsWith(".npy"));
  const names = arrays.map(({ name }) => name.slice(0, -4));
  if (wanted === undefined && arrays.length === 1) return arrays[0];
  const found = arrays.find((_, at) => names[at] === wanted || arrays[at].name === wanted);
  if (found) return found;
  const listed = names.slice(0, LISTED).join(", ") + (names.length > LISTED ? ", …" : "");
  throw new TypeError(
    wanted === undefined
      ? `Cannot read ${archive}: one of its ${names.length} arrays must be named, as in ${archive}:NAME: it has ${
        listed || "none"
      }`
      : `Cannot read ${archive}:${wanted}: there is no such array in it: it has ${listed || "none"}`,
  );
}

function inflated(packed: ByteSource, name: string): ByteSource {
  async function* chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    while (true) {
      const chunk = new Uint8Array(CHUNK_BYTES), filled = await packed.read(chunk);
      if (filled > 0) yield chunk.subarray(0, filled);
      if (filled < chunk.length) return;
    }
  }
  const iterator = chunks();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  async function* unpacked(): AsyncGenerator<Uint8Array> {
    // Not an async iteration of the stream, which Safari and older runtimes do not have.
    const reader = stream.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } catch (cause) {
      throw new RangeError(`Cannot read ${name}: the archive is damaged: its data cannot be inflated`, {
        cause,
      });
    }
  }
  return chunkSource(unpacked());
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
