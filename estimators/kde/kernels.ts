/** A kernel: exp(−‖x − y‖²/(2h²)), exp(−‖x − y‖/h) or exp(−‖x − y‖₁/h), h the bandwidth. */
export type KernelName = "gaussian" | "exponential" | "laplace";
/** All of them. */
export const kernelNames: readonly KernelName[] = ["gaussian", "exponential", "laplace"];

/** −ln k of two rows: `a` from `first`, `b` from `other` on. */
export type KernelExponent = (
  a: Float32Array,
  first: number,
  b: Float32Array,
  other: number,
  features: number,
) => number;

/**
 * −ln k between rows in float64. All three kernels lie in (0, 1], are 1 where rows are equal, and have positive semidefinite matrices, which
 * is all that sums and eigenvalues ask of them.
 */
export function kernelExponent(kernel: KernelName, bandwidth: number): KernelExponent {
  if (kernel === "gaussian") return (...rows) => squaredDistance(...rows) / (2 * bandwidth ** 2);
  if (kernel === "exponential") return (...rows) => Math.sqrt(squaredDistance(...rows)) / bandwidth;
  return (...rows) => sumOfDistances(...rows) / bandwidth;
}

function squaredDistance(a: Float32Array, first: number, b: Float32Array, other: number, features: number) {
  let sum = 0;
  for (let t = 0; t < features; t++) {
    const difference = a[first + t] - b[other + t];
    sum += difference * difference;
  }
  return sum;
}

function sumOfDistances(a: Float32Array, first: number, b: Float32Array, other: number, features: number) {
  let sum = 0;
  for (let t = 0; t < features; t++) sum += Math.abs(a[first + t] - b[other + t]);
  return sum;
}
