import type { DeviceArray } from "../backend.ts";

/** Where the reference backend keeps its values. */
export interface ReferenceArray extends DeviceArray {
  readonly values: Float64Array | Uint32Array;
  /** The work that fills them in. */
  pending?: { finish(): void };
}

/** A float array of the reference backend. */
export function floats(values: Float64Array): ReferenceArray {
  return { type: "float", length: values.length, values };
}

/** A word array of the reference backend. */
export function words(values: Uint32Array): ReferenceArray {
  return { type: "word", length: values.length, values };
}

/** The float64 values behind a device array, computed now if they have not been before. */
export function floatValues(array: DeviceArray): Float64Array {
  return valuesOf(array) as Float64Array;
}

/** The 32-bit words behind a device array, computed now if they have not been before. */
export function wordValues(array: DeviceArray): Uint32Array {
  return valuesOf(array) as Uint32Array;
}

function valuesOf(array: DeviceArray): Float64Array | Uint32Array {
  const { values, pending } = array as ReferenceArray;
  pending?.finish();
  return values;
}
