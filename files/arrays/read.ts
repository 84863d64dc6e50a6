import type { FileHandle } from "node:fs/promises";
import type { Tensor } from "../../kernels/tensor.ts";
import { fileError } from "../file_error.ts";
import { readNpy } from "../npy/read.ts";
import { readNpzArray } from "../npy/npz.ts";
import { readSafetensor } from "../safetensors/read.ts";
import type { ArrayChoice } from "./choose.ts";
import { type Dimensions, TENSOR_DIMENSIONS } from "./layout.ts";
import { type ArchivePath, archivePath } from "./path.ts";
import { withSource } from "./source.ts";

/** What array is expected of a path. */
export interface ReadOptions extends Omit<ArrayChoice, "name"> {
  /** The least and the most dimensions, 2 and 4 by default. */
  readonly dimensions?: Dimensions;
}

const readers: Readonly<
  Record<
    ArchivePath["format"],
    (file: FileHandle, archive: string, choice: ArrayChoice, dimensions: Dimensions) => Promise<Tensor>
  >
> = { npz: readNpzArray, safetensors: readSafetensor };

/**
 * Reads an array of floats, integers or truth values as 32-bit floats: an .npy file, or an array of an .npz or .safetensors
 * file. Nothing is allocated before a file is known to hold what its header promises.
 *
 * @param path An .npy file, pipe or device; `-` for the standard input; `FILE.npz` or `FILE.safetensors`, with `:NAME` for one
 *   array of several.
 * @throws {TypeError} If it is no such file, there is no such array, or its dtype or rank is none that a tensor can have.
 * @throws {RangeError} If bytes are missing or left over, or an extent or a value is out of range.
 * @throws {Error} If the file cannot be opened or read.
 */
export async function readArray(
  path: string,
  { dimensions = TENSOR_DIMENSIONS, ...choice }: ReadOptions = {},
): Promise<Tensor> {
  const shown = path === "-" ? "the standard input" : path;
  try {
    const found = archivePath(path);
    if (!found) return await withSource(path, shown, (source) => readNpy(source, shown, dimensions));
    const { archive, format, name } = found;
    return await withSource(archive, archive, (_, file) => {
      if (file) return readers[format](file, archive, { ...choice, name }, dimensions);
      throw new TypeError(`Cannot read ${archive}: an archive must be a file: it is a pipe or device`);
    });
  } catch (error) {
    const explained = error instanceof Error && error.message.startsWith("Cannot read ");
    throw explained ? error : fileError("read", shown, error);
  }
}
