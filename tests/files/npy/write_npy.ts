import { formatNpyHeader, valueBytes } from "../../../files/npy/format.ts";
import { writeWhole } from "../../../files/write_whole.ts";
import type { Tensor } from "../../../kernels/tensor.ts";

/** Writes a tensor as an .npy file, as `attend --out` does. */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  await writeWhole(path, [formatNpyHeader(tensor.shape), valueBytes(tensor)]);
}

/** The bytes of such a file. */
export function formatNpy(tensor: Tensor): Uint8Array {
  const header = formatNpyHeader(tensor.shape), values = valueBytes(tensor);
  const file = new Uint8Array(header.length + values.length);
  file.set(header);
  file.set(values, header.length);
  return file;
}
