import { copyMagnitude } from "../../kernels/wasm/largest_magnitude.ts";

/** A copy, and what was seen in it. */
export interface Snapshot {
  readonly data: Float32Array;
  /** Largest |x|; Infinity or NaN where there is one. */
  readonly largest: number;
}

/** Memory of earlier snapshots that the garbage collector may take back, latest last. */
let spare: WeakRef<ArrayBuffer>[] = [];
/** Most buffers that are remembered. */
const MOST_SPARE = 12;

/**
 * A copy that a caller's later writes do not reach. It takes the memory of an earlier snapshot of about its size, if there is
 * one: fresh pages, which the system clears one by one, would cost several times as much as the copy.
 */
export function takeSnapshot(data: Float32Array): Snapshot {
  const copy = spareMemory(data.length) ?? new Float32Array(data.length);
  return { data: copy, largest: copyMagnitude(data, copy) };
}

function spareMemory(length: number): Float32Array | undefined {
  const bytes = 4 * length;
  for (let at = spare.length - 1; at >= 0; at--) {
    const buffer = spare[at].deref();
    if (!buffer || buffer.byteLength < bytes || buffer.byteLength > 1.25 * bytes) continue;
    spare.splice(at, 1);
    return new Float32Array(buffer, 0, length);
  }
  return undefined;
}

/** Lets later snapshots have the memory of some that nobody reads any more. */
export function releaseSnapshots(snapshots: readonly Float32Array[]): void {
  spare = spare.filter((reference) => reference.deref() !== undefined);
  for (const { buffer } of snapshots) spare.push(new WeakRef(buffer as ArrayBuffer));
  spare.splice(0, spare.length - MOST_SPARE);
}
