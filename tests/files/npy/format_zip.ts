import { crc32 } from "../../../files/npy/crc32.ts";

/** A file of a zip archive, and what the directory says about it where that is not the truth. */
export interface Entry {
  readonly name: string;
  /** Its bytes as they lie in the archive. */
  readonly packed: Uint8Array;
  /** 0 for stored, 8 for deflated. */
  readonly method?: number;
  readonly flags?: number;
  /** How many bytes it has unpacked, and in the archive. */
  readonly bytes?: number;
  readonly packedBytes?: number;
  readonly checksum?: number;
  readonly extra?: Uint8Array;
}

/**
 * The bytes of a zip archive.
 *
 * @param isLarge Whether its end is that of large ones, zip64.
 */
export function formatZip(entries: readonly Entry[], isLarge = false): Uint8Array<ArrayBuffer> {
  const names = entries.map(({ name }) => new TextEncoder().encode(name));
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  const directory = sum(entries.map(({ packed }, at) => 30 + names[at].length + packed.length));
  const directoryBytes = sum(entries.map(({ extra }, at) => 46 + names[at].length + (extra?.length ?? 0)));
  const end = directory + directoryBytes + (isLarge ? 56 + 20 : 0);
  const whole = new Uint8Array(end + 22), view = new DataView(whole.buffer);
  let local = 0, central = directory;
  for (const [at, { packed, extra = new Uint8Array(), ...told }] of entries.entries()) {
    const name = names[at];
    view.setUint32(local, 0x04034b50, true);
    view.setUint16(local + 26, name.length, true);
    whole.set(name, local + 30);
    whole.set(packed, local + 30 + name.length);
    view.setUint32(central, 0x02014b50, true);
    view.setUint16(central + 8, told.flags ?? 0, true);
    view.setUint16(central + 10, told.method ?? 0, true);
    view.setUint32(central + 16, told.checksum ?? crc32(0, packed), true);
    view.setUint32(central + 20, told.packedBytes ?? packed.length, true);
    view.setUint32(central + 24, told.bytes ?? packed.length, true);
    view.setUint16(central + 28, name.length, true);
    view.setUint16(central + 30, extra.length, true);
    view.setUint32(central + 42, local, true);
    whole.set(name, central + 46);
    whole.set(extra, central + 46 + name.length);
    local += 30 + name.length + packed.length;
    central += 46 + name.length + extra.length;
  }
  if (isLarge) {
    view.setUint32(central, 0x06064b50, true);
    view.setBigUint64(central + 40, BigInt(directoryBytes), true);
    view.setBigUint64(central + 48, BigInt(directory), true);
    view.setUint32(central + 56, 0x07064b50, true);
    view.setBigUint64(central + 56 + 8, BigInt(central), true);
  }
  view.setUint32(end, 0x06054b50, true);
  view.setUint32(end + 12, isLarge ? 0xffffffff : directoryBytes, true);
  view.setUint32(end + 16, isLarge ? 0xffffffff : directory, true);
  return whole;
}

/** A file of an archive, deflated from chunks. */
export async function deflated(
  name: string,
  chunks: Iterable<Uint8Array>,
): Promise<Required<Pick<Entry, "name" | "packed" | "method" | "bytes" | "checksum">>> {
  let bytes = 0, checksum = 0;
  const iterator = chunks[Symbol.iterator]();
  const stream = new ReadableStream({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) return controller.close();
      bytes += value.length;
      checksum = crc32(checksum, value);
      controller.enqueue(value);
    },
  });
  const packed = await new Response(stream.pipeThrough(new CompressionStream("deflate-raw"))).arrayBuffer();
  return { name, packed: new Uint8Array(packed), method: 8, bytes, checksum };
}
