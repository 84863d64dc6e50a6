import type { DeviceArray } from "../backend.ts";

/**
 * Bytes copied out of a mapped buffer at a time. Deno copies every mapped range into fresh memory: ranges
 * this small come from memory that its allocator already holds, where one large range has to be paged in,
 * which takes longer than all the rest of the read-back.
 */
const PIECE_BYTES = 2 ** 18;

/** Waits for the device and copies the staging buffer, which holds the arrays one behind the other. */
export async function readBack(
  staging: GPUBuffer,
  arrays: readonly DeviceArray[],
): Promise<(Float32Array | Uint32Array)[]> {
  await staging.mapAsync(GPUMapMode.READ, 0, stagingBytes(arrays));
  let start = 0;
  const results = arrays.map(({ type, length }) => {
    const result = type === "float" ? new Float32Array(length) : new Uint32Array(length);
    const target = new Uint8Array(result.buffer);
    for (let done = 0; done < target.length;) {
      const size = Math.min(PIECE_BYTES, target.length - done);
      target.set(new Uint8Array(staging.getMappedRange(start + done, size)), done);
      done += size;
    }
    start += paddedBytes(length);
    return result;
  });
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
