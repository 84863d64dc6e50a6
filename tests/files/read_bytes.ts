import { assert } from "@std/assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArray, type ReadOptions } from "../../files/arrays/read.ts";
import type { Tensor } from "../../kernels/tensor.ts";

/**
 * Reads bytes as a file of this name.
 *
 * @param entry What follows the name of the file, such as `:q`.
 * @returns The array, or the error's message without the folder of the file.
 */
export async function readBytes(
  bytes: Uint8Array,
  fileName: string,
  entry = "",
  options?: ReadOptions,
): Promise<Tensor | string> {
  const folder = await mkdtemp(join(tmpdir(), "arrays-")), path = join(folder, fileName);
  try {
    await writeFile(path, bytes);
    return await readArray(`${path}${entry}`, options);
  } catch (error) {
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
    assert(error.message.startsWith(`Cannot read ${path}`), error.message);
    return error.message.replaceAll(join(folder, "/"), "");
  } finally {
    await rm(folder, { recursive: true });
  }
}
