import type { Backend } from "../../kernels/backend.ts";
import type { Problem } from "./problem.ts";

/** How a caller follows and stops a computation. */
export interface Progress {
  /** Stops the computation when aborted. */
  readonly signal?: AbortSignal;
  /** Called with heads done and heads in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Most device memory that one submission takes, inputs, copies and outputs together. */
const SUBMISSION_BYTES = 2 ** 30;

/** Device memory that one submission may take: not more than half of what there is. */
export function submissionBytes({ memoryBytes = Infinity }: Backend): number {
  return Math.min(SUBMISSION_BYTES, memoryBytes / 2);
}

/** Whether a head, with `wide` numbers for each key, fits arrays of the device. */
export function fitsDevice(
  { largestArrayBytes }: Backend,
  { queries, keys, features, valueFeatures }: Problem,
  wide: number,
): boolean {
  return 4 * Math.max(queries, keys) * Math.max(features, valueFeatures, wide) <= largestArrayBytes;
}

/**
 * Cuts the heads of a problem into runs that fit the device, reporting progress and heeding the signal between
 * them. A head that does not fit even alone is `oversized`.
 */
export function* headChunks(
  backend: Backend,
  { heads, queries, keys, features, valueFeatures }: Problem,
  { signal, onProgress }: Progress,
): Generator<{ first: number; count: number; oversized: boolean }> {
  const largest = 4 * Math.max(queries, keys) * Math.max(features, valueFeatures);
  const total = 4 * (queries + keys) * (features + valueFeatures);
  // Sorting and centring keep about three more copies of everything.
  const perChunk = Math.min(backend.largestArrayBytes / largest, submissionBytes(backend) / (4 * total));
  const size = Math.max(1, Math.floor(perChunk));
  for (let first = 0; first < heads; first += size) {
    signal?.throwIfAborted();
    onProgress?.(first, heads);
    yield { first, count: Math.min(size, heads - first), oversized: largest > backend.largestArrayBytes };
  }
  onProgress?.(heads, heads);
}
