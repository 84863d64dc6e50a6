import { bytesOf } from "./engine/variants.ts";
import { magnitude } from "./module.generated.ts";

/** Fewer values than this are looked through before WebAssembly has been called. */
const FEW = 512;

/** The module on one page of memory, through which values go slice by slice: it stays in the cache. */
interface Slices {
  readonly values: Float32Array;
  readonly largest: (count: number) => number;
}

const float = new Float32Array(1), word = new Int32Array(float.buffer);
/** Null where there is no SIMD, or a policy of the page forbids WebAssembly. */
let slices: Slices | null | undefined;

/** Largest |x|; Infinity or NaN where there is one. */
export function largestMagnitude(data: Float32Array): number {
  return magnitudeOf(largestBits(data));
}

/** Copies values and tells the largest |x| of the copy, as {@link largestMagnitude} does, in one pass through memory. */
export function copyMagnitude(from: Float32Array, to: Float32Array): number {
  if (from.length >= FEW && openedSlices()) return magnitudeOf(largestOfSlices(from, openedSlices()!, to));
  to.set(from);
  return largestMagnitude(to);
}

function magnitudeOf(bits: number): number {
  word[0] = bits;
  return float[0];
}

function largestBits(data: Float32Array): number {
  const slices = data.length >= FEW ? openedSlices() : null;
  return slices ? largestOfSlices(data, slices) : largestOfEach(data);
}

function openedSlices(): Slices | null {
  return slices === undefined ? slices = openSlices() : slices;
}

function openSlices(): Slices | null {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytesOf(magnitude)));
    const { memory, largest } = exports as { memory: WebAssembly.Memory; largest: Slices["largest"] };
    return { values: new Float32Array(memory.buffer), largest };
  } catch {
    return null;
  }
}

function largestOfSlices(data: Float32Array, { values, largest }: Slices, copy?: Float32Array): number {
  let most = 0;
  for (let at = 0; at < data.length; at += values.length) {
    const slice = data.subarray(at, at + values.length);
    values.set(slice);
    most = Math.max(most, largest(slice.length));
    copy?.set(values.subarray(0, slice.length), at);
  }
  return most;
}

/** What `assembly/magnitude.ts` does, one value after the other. */
export function largestOfEach(data: Float32Array): number {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  let most = 0;
  for (let at = 0; at < bits.length; at++) most = Math.max(most, bits[at] & 0x7fffffff);
  return most;
}
