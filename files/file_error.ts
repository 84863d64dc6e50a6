const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "part of its path is not a folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would exceed the size limit",
  EROFS: "the file system is read-only",
};

/** An error of the file system, said in words: `Cannot write o.npy: the disk is full`. */
export function fileError(action: "read" | "write", path: string, cause: unknown): Error {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  const reason = (code && REASONS[code]) || message || String(cause);
  return new Error(`Cannot ${action} ${path}: ${reason}`, { cause });
}
