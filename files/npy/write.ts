import { checkTensor, type Tensor } from "../../kernels/tensor.ts";
import { writeWhole } from "../write_whole.ts";
import { formatNpyHeader, valueBytes } from "./format.ts";

/**
 * Writes a tensor as an .npy file of little-endian f32, which appears whole or not at all.
 *
 * @throws {TypeError} If it is not a tensor.
 * @throws {Error} If the file cannot be written, the disk being full for instance; the old file stays.
 */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  checkTensor("tensor", tensor);
  await writeWhole(path, [formatNpyHeader(tensor.shape), valueBytes(tensor)]);
}
