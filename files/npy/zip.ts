import type { FileHandle } from "node:fs/promises";
import { rangeSource } from "../arrays/source.ts";

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0 for stored, 8 for deflated. */
  readonly method: number;
  readonly encrypted: boolean;
  /** CRC-32 of its bytes. */
  readonly checksum: number;
  /** Where its own header starts in the archive, in front of its packed bytes, and how many of these there are. */
  readonly header: number;
  readonly packedBytes: number;
  /** Its bytes when unpacked. */
  readonly bytes: number;
}

// Signatures and fixed sizes of the records of APPNOTE.TXT, 4.3.
const END = { signature: 0x06054b50, bytes: 22 };
const LOCATOR = { signature: 0x07064b50, bytes: 20 };
const LARGE_END = { signature: 0x06064b50, bytes: 56 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
/** The longest comment after the end record. */
const MOST_COMMENT = 0xffff;
/** A directory of more bytes is not worth its memory: it has room for 100,000 arrays. */
const MOST_DIRECTORY = 1 << 23;
/** Stands for a number in the record of large archives, or in the extra field 1 of an entry. */
const LARGE = 0xffffffff, LARGE_FIELD = 1;

/**
 * Reads the directory of a zip archive, that of large ones (zip64) included.
 *
 * @throws {TypeError} If it is no zip archive.
 * @throws {RangeError} If it is damaged or its directory is too long.
 */
export async function readDirectory(file: FileHandle, name: string): Promise<ZipEntry[]> {
  const size = (await file.stat()).size;
  const { start, bytes } = await locateDirectory(file, size, name);
  if (bytes > MOST_DIRECTORY) {
    throw new RangeError(
      `Cannot read ${name}: the archive's directory must be at most ${MOST_DIRECTORY} bytes: current value is ${bytes}`,
    );
  }
  const view = await viewOf(file, size, start, bytes, name), entries: ZipEntry[] = [];
  for (let at = 0; at < bytes;) {
    if (at + CENTRAL.bytes > bytes || view.getUint32(at, true) !== CENTRAL.signature) throw damaged(name);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true)
    );
    const end = at + CENTRAL.bytes + nameBytes + extraBytes + commentBytes;
    if (end > bytes) throw damaged(name);
    entries.push(readEntry(view, at, nameBytes, extraBytes, name));
    at = end;
  }
  return entries;
}

async function locateDirectory(
  file: FileHandle,
  size: number,
  name: string,
): Promise<{ start: number; bytes: number }> {
  const tailBytes = Math.min(size, END.bytes + MOST_COMMENT), tailStart = size - tailBytes;
  const tail = await viewOf(file, size, tailStart, tailBytes, name);
  let at = tailBytes - END.bytes;
  while (
    at >= 0 &&
    !(tail.getUint32(at, true) === END.signature &&
      at + END.bytes + tail.getUint16(at + 20, true) === tailBytes)
  ) at--;
  if (at < 0) {
    throw new TypeError(
      `Cannot read ${name}: not an npz file: it must be a zip archive, as numpy.savez writes it`,
    );
  }
  const bytes = tail.getUint32(at + 12, true), start = tail.getUint32(at + 16, true);
  if (bytes !== LARGE && start !== LARGE) return { start, bytes };
  const locator = await viewOf(file, size, tailStart + at - LOCATOR.bytes, LOCATOR.bytes, name);
  if (locator.getUint32(0, true) !== LOCATOR.signature) throw damaged(name);
  const large = await viewOf(file, size, largeNumber(locator, 8, name), LARGE_END.bytes, name);
  if (large.getUint32(0, true) !== LARGE_END.signature) throw damaged(name);
  return { bytes: largeNumber(large, 40, name), start: largeNumber(large, 48, name) };
}

function readEntry(
  view: DataView,
  at: number,
  nameBytes: number,
  extraBytes: number,
  name: string,
): ZipEntry {
  const text = new Uint8Array(view.buffer, view.byteOffset + at + CENTRAL.bytes, nameBytes);
  return {
    name: new TextDecoder().decode(text),
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    checksum: view.getUint32(at + 16, true),
    ...placeOf(view, at, at + CENTRAL.bytes + nameBytes, extraBytes, name),
  };
}

/**
 * Where the packed bytes of an entry start: its own header may be longer than the directory tells.
 *
 * @throws {RangeError} If they do not lie in the archive.
 */
export async function startOf(file: FileHandle, entry: ZipEntry, name: string): Promise<number> {
  const size = (await file.stat()).size, { header, packedBytes } = entry;
  const local = await viewOf(file, size, header, LOCAL.bytes, name);
  if (local.getUint32(0, true) !== LOCAL.signature) throw damaged(name);
  const start = header + LOCAL.bytes + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + packedBytes > size) throw damaged(name);
  return start;
}

/** Sizes and place of an entry. Where one is {@link LARGE} its 64 bits stand in an extra field, in the order of APPNOTE 4.5.3. */
function placeOf(
  view: DataView,
  at: number,
  extra: number,
  extraBytes: number,
  name: string,
): Pick<ZipEntry, "bytes" | "packedBytes" | "header"> {
  const extraEnd = extra + extraBytes;
  let field = extra, end = extra;
  for (let next = extra; next + 4 <= extraEnd;) {
    const length = view.getUint16(next + 2, true);
    if (view.getUint16(next, true) === LARGE_FIELD) {
      [field, end] = [next + 4, Math.min(extraEnd, next + 4 + length)];
    }
    next += 4 + length;
  }
  const read = (offset: number) => {
    const small = view.getUint32(at + offset, true);
    if (small !== LARGE) return small;
    if (field + 8 > end) throw damaged(name);
    field += 8;
    return largeNumber(view, field - 8, name);
  };
  const bytes = read(24), packedBytes = read(20);
  return { bytes, packedBytes, header: read(42) };
}

function largeNumber(view: DataView, at: number, name: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(name);
  return Number(value);
}

async function viewOf(
  file: FileHandle,
  size: number,
  start: number,
  bytes: number,
  name: string,
): Promise<DataView<ArrayBuffer>> {
  if (start < 0 || start + bytes > size) throw damaged(name);
  const read = new Uint8Array(bytes);
  if (await rangeSource(file, start, bytes).read(read) < bytes) throw damaged(name);
  return new DataView(read.buffer);
}

function damaged(name: string): RangeError {
  return new RangeError(
    `Cannot read ${name}: the archive is damaged: its directory does not fit its contents`,
  );
}
