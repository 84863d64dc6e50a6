import type { Tensor } from "../../kernels/tensor.ts";
import { checkDataBytes, type Dimensions, parseNpyHeader, TENSOR_DIMENSIONS } from "./header.ts";
import { rowMajor } from "./row_major.ts";
import { decodeValues } from "./values.ts";

/**
 * Makes a tensor from the bytes of an .npy file: f16, f32, f64, integers or truth values, of either byte order, in C or
 * Fortran order.
 *
 * @example
 * ```ts
 * import { formatNpy } from "./format.ts";
 * import { parseNpy } from "./parse.ts";
 * const bytes = formatNpy({ data: new Float32Array([1, 2, 3, 4]), shape: [2, 2] });
 * console.log(parseNpy(bytes, "example.npy").shape); // [2, 2]
 * ```
 *
 * @param bytes The whole file.
 * @param name What to call the file in an error.
 * @param dimensions The least and the most dimensions, 2 and 4 by default.
 * @throws {TypeError} If it is not an .npy file, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If bytes are missing or left over, or an extent or a value is out of range.
 */
export function parseNpy(
  bytes: Uint8Array,
  name: string,
  dimensions: Dimensions = TENSOR_DIMENSIONS,
): Tensor {
  const header = parseNpyHeader(bytes, name, dimensions);
  checkDataBytes(header, bytes.length, name);
  const data = new Float32Array(header.size);
  decodeValues(data, 0, bytes.subarray(header.dataOffset), header, name);
  return { data: header.fortranOrder ? rowMajor(data, header.shape) : data, shape: header.shape };
}
