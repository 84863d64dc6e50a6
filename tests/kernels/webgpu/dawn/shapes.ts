import type { Backend, DeviceArray } from "../../../../kernels/backend.ts";

/** Records work on a backend; what comes out does not matter here, only which pipelines it takes. */
export type Case = (backend: Backend) => void;

/** Heads, and rows of each. */
export const heads = 2, count = 21;

/** An array of zeros as floats. */
export function floats(backend: Backend, ...shape: number[]): DeviceArray {
  return backend.upload(new Float32Array(shape.reduce((a, b) => a * b)));
}

/** An array of zeros as words. */
export function words(backend: Backend, ...shape: number[]): DeviceArray {
  return backend.upload(new Uint32Array(shape.reduce((a, b) => a * b)));
}
