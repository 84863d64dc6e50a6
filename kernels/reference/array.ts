import type { DeviceArray } from "../backend.ts";

/** Where the reference backend keeps its values. */
export interface ReferenceArray extends DeviceArray {
  readonly values: Float64Array | Uint32Array;
}

/** A float array of the reference backend. */
export function floats(values: Float64Array): ReferenceArray {
  return { type: "float", length: values.length, values };
}

/** A word array of the reference backend. */
export function words(values: Uint32Array): ReferenceArray {
  return { type: "word", length: values.length, values };
}

/** The float64 values behind a device array. */
export function floatValues(array: DeviceArray): Float64Array {
  return (array as ReferenceArray).values as Float64Array;
}

/** The 32-bit words behind a device array. */
export function wordValues(array: DeviceArray): Uint32Array {
  return (array as ReferenceArray).values as Uint32Array;
}
