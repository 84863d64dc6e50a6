import { type FileHandle, open, stat } from "node:fs/promises";
import process from "node:process";

/** Bytes that are read from first to last. */
export interface ByteSource {
  /** How many bytes there are in all, where that is known before they are read. */
  readonly bytes?: number;
  /** Fills an array, and returns how many bytes were read: fewer than it takes only at the end. */
  read(into: Uint8Array): Promise<number>;
}

/** The bytes of a part of a file. */
export function rangeSource(file: FileHandle, start: number, bytes: number): ByteSource {
  let at = 0;
  return {
    bytes,
    async read(into) {
      const wanted = into.subarray(0, Math.min(into.length, bytes - at));
      const filled = await fill(
        wanted,
        (rest) => file.read(rest, 0, rest.length, start + at + wanted.length - rest.length),
      );
      at += filled;
      return filled;
    },
  };
}

/** What comes out of a pipe or a device. */
function pipeSource(file: FileHandle): ByteSource {
  return { read: (into) => fill(into, (rest) => file.read(rest, 0, rest.length, null)) };
}

/** Reads until an array is full or nothing more comes: one call of `read` may return less. */
async function fill(
  into: Uint8Array,
  read: (rest: Uint8Array) => Promise<{ bytesRead: number }>,
): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await read(into.subarray(filled));
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** Bytes that arrive in chunks. */
export function chunkSource(chunks: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk = new Uint8Array();
  return {
    async read(into) {
      let filled = 0;
      while (filled < into.length) {
        if (chunk.length === 0) {
          const next = await iterator.next();
          if (next.done) break;
          chunk = next.value as Uint8Array<ArrayBuffer>;
        }
        const taken = chunk.subarray(0, into.length - filled);
        into.set(taken, filled);
        filled += taken.length;
        chunk = chunk.subarray(taken.length);
      }
      return filled;
    },
  };
}

/**
 * Runs an action on what a path names: a file, a pipe or device, or under `-` the standard input.
 *
 * @param name What to call it in an error.
 */
export async function withSource<T>(
  path: string,
  name: string,
  action: (source: ByteSource, file: FileHandle | undefined) => Promise<T>,
): Promise<T> {
  if (path === "-") {
    if (process.stdin.isTTY) {
      throw new TypeError(`Cannot read ${name}: it must be a file or pipe: current value is a terminal`);
    }
    return await action(chunkSource(process.stdin), undefined);
  }
  const found = await stat(path);
  if (found.isDirectory()) {
    throw new TypeError(`Cannot read ${name}: it must be a file or pipe: current value is a folder`);
  }
  const file = await open(path, "r");
  try {
    return await (found.isFile()
      ? action(rangeSource(file, 0, found.size), file)
      : action(pipeSource(file), undefined));
  } finally {
    await file.close();
  }
}
