/** Memory of earlier snapshots that the garbage collector may take back, latest last. */
let spare: WeakRef<ArrayBuffer>[] = [];
/** Most buffers that are remembered. */
const MOST_SPARE = 12;

/**
 * A copy that a caller's later writes do not reach. It takes the memory of an earlier snapshot of about its size, if there is
 * one: fresh pages, which the system clears one by one, would cost several times as much as the copy.
 */
export function takeSnapshot(data: Float32Array): Float32Array {
  const bytes = 4 * data.length;
  for (let at = spare.length - 1; at >= 0; at--) {
    const buffer = spare[at].deref();
    if (!buffer || buffer.byteLength < bytes || buffer.byteLength > 1.25 * bytes) continue;
    spare.splice(at, 1);
    const copy = new Float32Array(buffer, 0, data.length);
    copy.set(data);
    return copy;
  }
  return new Float32Array(data);
}

/** Lets later snapshots have the memory of some that nobody reads any more. */
export function releaseSnapshots(snapshots: readonly Float32Array[]): void {
  spare = spare.filter((reference) => reference.deref() !== undefined);
  for (const { buffer } of snapshots) spare.push(new WeakRef(buffer as ArrayBuffer));
  spare.splice(0, spare.length - MOST_SPARE);
}
