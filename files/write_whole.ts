import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { fileError } from "./file_error.ts";

/**
 * Writes a file that appears whole or not at all: it is written beside its target under a temporary name and renamed,
 * and the temporary file is removed on any failure.
 *
 * @param parts Its bytes in order, or text.
 * @throws {Error} If the file cannot be written, the disk being full for instance; the old file stays.
 */
export async function writeWhole(path: string, parts: readonly Uint8Array[] | string): Promise<void> {
  const bytes = typeof parts === "string" ? [new TextEncoder().encode(parts)] : parts;
  try {
    const target = await resolveTarget(path);
    if (target.replaceable) await writeAndRename(target.path, bytes);
    else await writeAll(await open(target.path, "w"), bytes);
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

async function writeAndRename(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeAll(await open(temporary, "wx"), parts);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes and closes. Some file systems report a full disk only when they are told to synchronise. */
async function writeAll(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  try {
    for (const bytes of parts) await writeBytes(file, bytes);
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
