import type { DeviceArray } from "../../backend.ts";

/** An array in a storage buffer of the device; the buffer may be longer than the array. */
export interface GpuArray extends DeviceArray {
  readonly buffer: GPUBuffer;
}

/** The storage buffer behind a device array. */
export function gpuArray(array: DeviceArray): GpuArray {
  return array as GpuArray;
}

/** Bytes of a binding that holds `length` 32-bit values: whole vec4s, and at least one. */
export function bindingBytes(length: number): number {
  return Math.max(16, Math.ceil(length / 4) * 16);
}
