import type { Backend, DeviceArray } from "../kernels/backend.ts";
import { ReferenceBackend } from "../kernels/reference/backend.ts";

/** Runs the same recording on a backend and on the reference, and reads both results. */
export async function besideReference(
  backend: Backend,
  record: (backend: Backend) => DeviceArray[],
): Promise<{ actual: (Float32Array | Uint32Array)[]; expected: (Float32Array | Uint32Array)[] }> {
  const reference = new ReferenceBackend();
  const expected = await reference.run(record(reference));
  const actual = await backend.run(record(backend));
  backend.reset();
  return { actual, expected };
}
