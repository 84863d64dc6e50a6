import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { checkTensor, type Tensor } from "../../kernels/tensor.ts";
import { fileError } from "./file_error.ts";
import { formatNpyHeader, valueBytes } from "./format.ts";

/**
 * Writes a tensor as an .npy file of little-endian f32. The file appears whole or not at all: it is written
 * beside its target under a temporary name and renamed, and the temporary file is removed on any failure.
 *
 * @throws {TypeError} If it is not a tensor.
 * @throws {Error} If the file cannot be written, the disk being full for instance; the old file stays.
 */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  checkTensor("tensor", tensor);
  try {
    const target = await resolveTarget(path);
    if (target.replaceable) await writeAndRename(target.path, tensor);
    else await writeAll(await open(target.path, "w"), tensor);
  } catch (error) {
    throw fileError("write", path, error);
  }
}

/**
 * Where the bytes go. A link is followed, since renaming onto it would cut it; a device or pipe must never be
 * replaced by a file, so it is written as it is.
 */
async function resolveTarget(path: string): Promise<{ path: string; replaceable: boolean }> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return { path: found.isFile() ? await realpath(path) : path, replaceable: found.isFile() };
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    return { path, replaceable: true };
  }
}

async function writeAndRename(path: string, tensor: Tensor): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeAll(await open(temporary, "wx"), tensor);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes and closes. Some file systems report a full disk only when they are told to synchronise. */
async function writeAll(file: FileHandle, tensor: Tensor): Promise<void> {
  try {
    await writeBytes(file, formatNpyHeader(tensor.shape));
    await writeBytes(file, valueBytes(tensor));
    if ((await file.stat()).isFile()) await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes every byte: one call of `write` may take less. */
async function writeBytes(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}
