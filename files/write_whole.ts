import { unlinkSync } from "node:fs";
import { type FileHandle, open, realpath, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError } from "./file_error.ts";
import { withCleanUp } from "./interruption.ts";
import { isGranted } from "./permissions.ts";

/**
 * Writes a file that appears whole or not at all: it is written beside its target under a temporary name and renamed,
 * and the temporary file is removed on any failure and on SIGINT or SIGTERM. Where the folder may not be written to,
 * the target is written in place; it is removed on failure if it was not there before.
 *
 * @param parts Its bytes in order, or text.
 * @throws {Error} If the file cannot be written, the disk being full for instance.
 */
export async function writeWhole(path: string, parts: readonly Uint8Array[] | string): Promise<void> {
  const bytes = typeof parts === "string" ? [new TextEncoder().encode(parts)] : parts;
  try {
    const target = await resolveTarget(path);
    if (target.kind === "other") return await writeAll(await open(target.path, "w"), bytes);
    if (target.kind === "replaceable" && await writeAndRename(target.path, bytes)) return;
    await writeInPlace(target.path, bytes);
  } catch (error) {
    throw fileError("write", path, error);
  }
}

/**
 * Finds out before any work whether a file can be written, and leaves everything as it was.
 *
 * @throws {Error} If it cannot.
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const target = await resolveTarget(path);
    // A device or pipe is not touched: who reads the pipe would take its closing for the end.
    if (target.kind === "other") return;
    if (target.kind === "replaceable") {
      const temporary = temporaryName(target.path);
      const beside = await openBeside(temporary);
      if (beside) {
        return await withCleanUp(() => removeNow(temporary), () => closeAndRemove(beside, temporary));
      }
    }
    const [file, isNew] = await openInPlace(target.path, "a");
    if (isNew) await closeAndRemove(file, target.path);
    else await file.close();
  } catch (error) {
    throw fileError("write", path, error);
  }
}

interface Target {
  readonly path: string;
  /** A file that may be replaced by another one; one that may only be written to; or a device or pipe. */
  readonly kind: "replaceable" | "in place" | "other";
}

/**
 * Where the bytes go. A link is followed, since renaming onto it would cut it; a device or pipe must never be
 * replaced by a file, so it is written as it is.
 */
async function resolveTarget(path: string): Promise<Target> {
  if (!isGranted({ name: "read", path })) return { path, kind: "in place" };
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return found.isFile() ? fileTarget(await realpath(path)) : { path, kind: "other" };
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    return fileTarget(path);
  }
}

/** Renaming takes the right to read as well as to write. */
function fileTarget(path: string): Target {
  const folder = dirname(path);
  const mayRename = (["read", "write"] as const).every((name) => isGranted({ name, path: folder }));
  return { path, kind: mayRename ? "replaceable" : "in place" };
}

function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID()}.tmp`;
}

/** A new file beside the target; undefined where the folder takes none, though the target may be writable. */
async function openBeside(temporary: string): Promise<FileHandle | undefined> {
  return await open(temporary, "wx").catch((error) => {
    if (["EACCES", "EPERM", "EROFS", "ENAMETOOLONG"].includes(error.code)) return undefined;
    throw error;
  });
}

async function writeAndRename(path: string, parts: readonly Uint8Array[]): Promise<boolean> {
  const temporary = temporaryName(path);
  return await withCleanUp(() => removeNow(temporary), async () => {
    try {
      const file = await openBeside(temporary);
      if (!file) return false;
      await writeAll(file, parts);
      await rename(temporary, path);
      return true;
    } catch (error) {
      removeNow(temporary);
      throw error;
    }
  });
}

async function writeInPlace(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const [file, isNew] = await openInPlace(path, "w");
  const cleanUp = () => isNew && removeNow(path);
  await withCleanUp(cleanUp, async () => {
    try {
      await writeAll(file, parts);
    } catch (error) {
      cleanUp();
      throw error;
    }
  });
}

/** Opens a file that may be there, and tells whether it is new. */
async function openInPlace(path: string, flags: "a" | "w"): Promise<[file: FileHandle, isNew: boolean]> {
  try {
    return [await open(path, `${flags}x`), true];
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    return [await open(path, flags), false];
  }
}

async function closeAndRemove(file: FileHandle, path: string): Promise<void> {
  await file.close();
  await unlink(path);
}

function removeNow(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is not there, or no longer.
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
