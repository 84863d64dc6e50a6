import type { DeviceArray } from "../backend.ts";

/**
 * Bytes copied out of a mapped buffer at a time. Deno copies every mapped range into fresh memory, and paging that in
 * takes longer than all the rest of the read-back: small ranges, each freed before the next, share the same few pages.
 */
const PIECE_BYTES = 2 ** 15;

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
      const range = staging.getMappedRange(start + done, size);
      target.set(new Uint8Array(range), done);
      free(range);
      done += size;
    }
    start += paddedBytes(result.length);
  }
  staging.unmap();
  return results;
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
