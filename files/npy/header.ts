/**
 * The header of NumPy's .npy format, versions 1 to 3 (NumPy Enhancement Proposal 1): magic bytes, version,
 * length, then a Python dictionary literal with the keys `descr`, `fortran_order` and `shape`.
 */
import { type ArrayLayout, checkedSize, type Dimensions, TENSOR_DIMENSIONS } from "../arrays/layout.ts";
import { readHeaderFields } from "./dictionary.ts";

/** What the header of an .npy file says about its values. */
export interface NpyHeader extends ArrayLayout {
  /** Where the values start in the file, in bytes. */
  readonly dataOffset: number;
}

/** Headers that NumPy writes for plain arrays stay below 128 bytes; a longer one is not worth its memory. */
export const LARGEST_HEADER_BYTES = 64 * 1024;
/** Magic, version and the longer of the two forms of the length. */
export const PREAMBLE_BYTES = 12;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Where the header of a file starts and ends, from its first {@link PREAMBLE_BYTES} bytes. */
export function headerExtent(bytes: Uint8Array, name: string): { start: number; end: number; major: number } {
  if (bytes.length < MAGIC.length || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    const found = [...bytes.subarray(0, MAGIC.length)].map((b) => b.toString(16).padStart(2, "0")).join(" ");
    throw new TypeError(
      `Cannot read ${name}: not an npy file: it must start with the bytes 93 4e 55 4d 50 59: ` +
        (found ? `current value is ${found}` : "it is empty"),
    );
  }
  const [major, minor] = [bytes[6], bytes[7]];
  if (bytes.length >= 8 && (major < 1 || major > 3 || minor !== 0)) {
    throw new RangeError(
      `Cannot read ${name}: npy format version must be 1.0, 2.0 or 3.0: current value is ${major}.${minor}`,
    );
  }
  const start = major === 1 ? 10 : PREAMBLE_BYTES;
  requireBytes(start, bytes.length, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LARGEST_HEADER_BYTES) {
    throw new RangeError(
      `Cannot read ${name}: header must be at most ${LARGEST_HEADER_BYTES} bytes: current value is ${length}`,
    );
  }
  return { start, end: start + length, major };
}

function requireBytes(wanted: number, found: number, name: string): void {
  if (found < wanted) {
    throw new RangeError(
      `Cannot read ${name}: file is cut off in its header: wanted ${wanted} bytes but the file holds ${found}`,
    );
  }
}

/**
 * Reads the header at the start of an .npy file.
 *
 * @param bytes The file, or at least its whole header.
 * @param name What to call the file in an error.
 * @param dimensions The least and the most dimensions.
 * @throws {TypeError} If it is not an .npy file, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If the header is cut off or too long, or its version or an extent is out of range.
 */
export function parseNpyHeader(
  bytes: Uint8Array,
  name: string,
  dimensions: Dimensions = TENSOR_DIMENSIONS,
): NpyHeader {
  const { start, end, major } = headerExtent(bytes, name);
  requireBytes(end, bytes.length, name);
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes.subarray(start, end));
  const { descr, fortranOrder, shape } = readHeaderFields(text, name);
  const dtype = readDtype(descr, name);
  return {
    ...dtype,
    fortranOrder,
    shape,
    size: checkedSize(shape, dtype.valueBytes, dimensions, name),
    dataOffset: end,
  };
}

/** How much of a dtype an error shows: structured ones can be long. */
const SHOWN_DTYPE = 80;

function readDtype(descr: string, name: string): Pick<ArrayLayout, "kind" | "valueBytes" | "littleEndian"> {
  const [, order, type] = /^'([<>=|]?)(f[248]|[iu][1248]|b1|\?)'$/.exec(descr) ?? [];
  if (type === undefined) {
    const shown = descr.length > SHOWN_DTYPE ? `${descr.slice(0, SHOWN_DTYPE)}…` : descr;
    throw new TypeError(
      `Cannot read ${name}: dtype must be f2, f4 or f8, an integer or bool, such as '<f4', '>i8' or '|b1': ` +
        `current value is ${shown}`,
    );
  }
  const [kind, size] = type === "?" ? "b1" : type;
  return {
    kind: kind as NpyHeader["kind"],
    valueBytes: Number(size) as NpyHeader["valueBytes"],
    littleEndian: order !== ">",
  };
}
