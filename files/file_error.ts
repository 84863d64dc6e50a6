const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "part of its path is not a folder",
  ENAMETOOLONG: "its name is too long",
  ELOOP: "its links lead in a circle",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would exceed the size limit",
  EROFS: "the file system is read-only",
  ETXTBSY: "it is a program that runs",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ENXIO: "nothing is at the other end",
  EPIPE: "nothing is at the other end",
  EIO: "the device failed",
};

/** An error of the file system, said in words: `Cannot write o.npy: the disk is full`. */
export function fileError(action: "read" | "write", path: string, cause: unknown): Error {
  return new Error(`Cannot ${action} ${path}: ${reasonOf(action, cause)}`, { cause });
}

function reasonOf(action: "read" | "write", cause: unknown): string {
  const { name, code, message } = (cause ?? {}) as { name?: string; code?: string; message?: string };
  if (name === "NotCapable") return `permission denied by Deno: run again with --allow-${action}`;
  if (name === "InvalidData" || code === "ERR_INVALID_ARG_VALUE") return "it is no name of a file";
  return (code && REASONS[code]) || message || String(cause);
}
