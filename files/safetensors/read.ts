import type { FileHandle } from "node:fs/promises";
import type { Tensor } from "../../kernels/tensor.ts";
import { type ArrayChoice, chooseArray } from "../arrays/choose.ts";
import { type ArrayLayout, checkedSize, type Dimensions } from "../arrays/layout.ts";
import { readValues } from "../arrays/read_values.ts";
import { rangeSource } from "../arrays/source.ts";
import { readHeader } from "./header.ts";
import { dtypes, type StoredTensor } from "./stored_tensor.ts";

/**
 * Reads one tensor of a .safetensors file; of the others nothing but the header is read.
 *
 * @throws {TypeError} If it is no such file, or has no such tensor, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If the file is cut off or its header contradicts itself, or an extent or a value is out of range.
 */
export async function readSafetensor(
  file: FileHandle,
  archive: string,
  choice: ArrayChoice,
  dimensions: Dimensions,
): Promise<Tensor> {
  const { tensors, dataOffset } = await readHeader(file, archive);
  const chosen = chooseArray([...tensors.keys()], archive, choice), name = `${archive}:${chosen}`;
  const tensor = tensors.get(chosen)!, [begin, end] = tensor.offsets;
  const layout = layoutOf(tensor, dimensions, name);
  return await readValues(rangeSource(file, dataOffset + begin, end - begin), layout, name);
}

function layoutOf({ dtype, shape }: StoredTensor, dimensions: Dimensions, name: string): ArrayLayout {
  const known = dtypes.get(dtype);
  if (!known) {
    throw new TypeError(
      `Cannot read ${name}: dtype must be ${[...dtypes.keys()].join(", ")}: current value is ${dtype}`,
    );
  }
  const size = checkedSize(shape, known.valueBytes, dimensions, name);
  return { ...known, littleEndian: true, fortranOrder: false, shape, size };
}
