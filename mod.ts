/**
 * Fast, verified softmax attention: exact and KDEformer attention in WGSL and WebAssembly SIMD, checked against a
 * float64 reference. Works in Deno, Bun and browsers; nothing here has an external import.
 *
 * @example
 * ```ts
 * import { attention, tensor } from "@kdeformer/kdeformer";
 * const n = 256, d = 16;
 * const random = () => tensor(Float32Array.from({ length: n * d }, () => Math.random() - 0.5), [n, d]);
 * const { output, stats } = await attention(random(), random(), random(), { method: "exact" });
 * console.log(output.shape, stats.device);
 * ```
 *
 * @module
 */
export { attention, type AttentionResult, type AttentionStats } from "./estimators/attention/attention.ts";
export { type AttentionOptions, type StorageFormat, storageFormats } from "./estimators/attention/options.ts";
export { type MethodName, methods } from "./estimators/methods/methods.ts";
export type { Certificate } from "./estimators/certified/certificate.ts";
export { estimateDensity, type EstimateDensityOptions } from "./estimators/kde/estimate_density.ts";
export { kernelProduct, type KernelProductResult } from "./estimators/kde/kernel_product.ts";
export type { KernelName } from "./estimators/kde/kernels.ts";
export { kernelSum, type KernelSumOptions, type KernelSumResult } from "./estimators/kde/kernel_sum.ts";
export { softmaxSpectrum, type SoftmaxSpectrumOptions } from "./estimators/spectrum/softmax_spectrum.ts";
export type { Enclosed, SoftmaxSpectrum } from "./estimators/spectrum/spectrum.ts";
export { type TopEigenpair, topEigenpair } from "./estimators/kde/top_eigenpair.ts";
export {
  weightedExponentialKde,
  type WeightedExponentialResult,
} from "./estimators/kde/weighted_exponential_kde.ts";
export type { DensityEstimate } from "./estimators/kde/density.ts";
export type { DensityOptions } from "./estimators/kde/options.ts";
export { type DensityMethod, densityMethods } from "./estimators/kde/methods.ts";
export type { ProblemOptions } from "./estimators/core/problem.ts";
export { attentionPartial, type PartialOptions, type PartialResult } from "./estimators/attention/partial.ts";
export { mergePartials } from "./estimators/attention/merge_partials.ts";
export {
  robustAttention,
  type RobustAttentionResult,
  type RobustAttentionStats,
} from "./estimators/robust/robust_attention.ts";
export {
  type RobustAttentionOptions,
  type RobustWeights,
  robustWeights,
} from "./estimators/robust/options.ts";
export { Device, openDevice, type OpenDeviceOptions } from "./kernels/device.ts";
export { type DeviceKind, deviceKinds } from "./kernels/device_kinds.ts";
export { disposeDevices } from "./kernels/kept_devices.ts";
export type { AttendTile, Tuning } from "./kernels/webgpu/tuning.ts";
export { DeviceLostError, DeviceUnavailableError } from "./kernels/errors.ts";
export { checkTensor, type Tensor, tensor } from "./kernels/tensor.ts";
