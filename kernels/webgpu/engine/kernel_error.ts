/** Thrown when a device refuses a kernel: says file, line, column and the compiler's message. */
export class KernelError extends Error {
  override readonly name = "KernelError";
}
