import type { DeviceArray } from "../backend.ts";

/**
 * Bytes copied out of a mapped buffer at a time. Deno copies every mapped range into fresh memory: ranges
 * this small come from memory that its allocator already holds, where one large range has to be paged in,
 * which takes longer than all the rest of the read-back.
 */
const PIECE_BYTES = 2 ** 18;

/** Bytes of a memory page. */
const PAGE_BYTES = 4096;

/** Waits for the device and copies the staging buffer, which holds the arrays one behind the other. */
export async function readBack(
  staging: GPUBuffer,
  arrays: readonly DeviceArray[],
): Promise<(Float32Array | Uint32Array)[]> {
  const mapping = staging.mapAsync(GPUMapMode.READ, 0, stagingBytes(arrays));
  const results = arrays.map(({ type, length }) => {
    const result = type === "float" ? new Float32Array(length) : new Uint32Array(length);
    // Has fresh memory paged in while the device works, or while Deno sleeps its 10 ms after every mapping.
    for (let at = 0; at < length; at += PAGE_BYTES / 4) result[at] = 0;
    return result;
  });
  await mapping;
  let start = 0;
  for (const result of results) {
    const target = new Uint8Array(result.buffer);
    for (let done = 0; done < target.length;) {
      const size = Math.min(PIECE_BYTES, target.length - done);
      target.set(new Uint8Array(staging.getMappedRange(start + done, size)), done);
      done += size;
    }
    start += paddedBytes(result.length);
  }
  staging.unmap();
  return results;
}

/** Bytes of a staging buffer for these arrays. */
export function stagingBytes(arrays: readonly DeviceArray[]): number {
  return arrays.reduce((sum, { length }) => sum + paddedBytes(length), 8);
}

/** Bytes that an array takes in a staging buffer: mapped ranges start at multiples of 8. */
export function paddedBytes(length: number): number {
  return Math.ceil(length / 2) * 8;
}
