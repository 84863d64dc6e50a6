import type { DeviceArray } from "../../backend.ts";

/**
 * Bytes copied out of a mapped buffer at a time. Deno copies every mapped range into fresh memory, and paging that in
 * takes longer than all the rest of the read-back: small ranges, each freed before the next, share the same few pages.
 */
const PIECE_BYTES = 2 ** 15;

/** Bytes of a memory page. */
const PAGE_BYTES = 4096;

/** Staging buffers that have been mapped and unmapped before. */
const mappedBefore = new WeakSet<GPUBuffer>();

/** What came back, and when the staging buffer may be used again. */
export interface ReadBack {
  readonly results: (Float32Array | Uint32Array)[];
  readonly released: Promise<void>;
}

/** Waits for the device and copies the staging buffer, which holds the arrays one behind the other. */
export async function readBack(staging: GPUBuffer, arrays: readonly DeviceArray[]): Promise<ReadBack> {
  const results = arrays.map(({ type, length }) => {
    const result = type === "float" ? new Float32Array(length) : new Uint32Array(length);
    // Has fresh memory paged in while the device works.
    for (let at = 0; at < length; at += PAGE_BYTES / 4) result[at] = 0;
    return result;
  });
  const mapping = staging.mapAsync(GPUMapMode.READ, 0, stagingBytes(arrays));
  const copied = readsAtOnce() && mappedBefore.has(staging) && copiedAtOnce(staging, results);
  const released = mapping.then(() => {
    if (!copied) copyRanges(staging, results);
    staging.unmap();
    mappedBefore.add(staging);
  });
  // Once there are results, what happens to the buffer fails nobody.
  released.catch(() => {});
  if (!copied) await released;
  return { results, released };
}

/** The Deno in which reading at once has been seen to work; another might not bear it, and end the process. */
const READS_AT_ONCE = "2.9.6";

/**
 * Whether mapped ranges can be read as soon as `mapAsync` has been called: it waits for the device there, maps the buffer,
 * and only then sleeps 10 ms before it says so, longer than most work takes. True of buffers that have been mapped before.
 */
function readsAtOnce(): boolean {
  const { Deno: deno } = globalThis as { Deno?: { version?: { deno?: string } } };
  return deno?.version?.deno === READS_AT_ONCE;
}

/** Copies results if the ranges can be had; false, if it is too early. */
function copiedAtOnce(staging: GPUBuffer, results: readonly (Float32Array | Uint32Array)[]): boolean {
  try {
    if (results.every(({ length }) => length === 0)) staging.getMappedRange(0, 8);
    copyRanges(staging, results);
    return true;
  } catch {
    return false;
  }
}

function copyRanges(staging: GPUBuffer, results: readonly (Float32Array | Uint32Array)[]): void {
  let start = 0;
  for (const result of results) {
    const target = new Uint8Array(result.buffer);
    for (let done = 0; done < target.length;) {
      const size = Math.min(PIECE_BYTES, target.length - done);
      const range = staging.getMappedRange(start + done, size);
      target.set(new Uint8Array(range), done);
      free(range);
      done += size;
    }
    start += paddedBytes(result.length);
  }
}

/** Frees a mapped range now where it is a copy; where it is the device's memory itself, that is refused. */
function free(range: ArrayBuffer): void {
  try {
    range.transfer(0);
  } catch {
    // `unmap` takes it back.
  }
}

/** Bytes of a staging buffer for these arrays. */
export function stagingBytes(arrays: readonly DeviceArray[]): number {
  return arrays.reduce((sum, { length }) => sum + paddedBytes(length), 8);
}

/** Bytes that an array takes in a staging buffer: mapped ranges start at multiples of 8. */
export function paddedBytes(length: number): number {
  return Math.ceil(length / 2) * 8;
}
