import { DeviceUnavailableError } from "../../errors.ts";

const INSTALL =
  "install a Vulkan driver (on Debian: mesa-vulkan-drivers and libvulkan1), or pass another WebGPU " +
  "implementation such as the npm package webgpu as `gpu`";

/** What an adapter is and can do, for a diagnosis. */
export interface AdapterDescription {
  readonly name: string;
  /** True for an adapter that is emulated on the CPU. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** Limits that the kernels can make use of: what the adapter offers of them is asked for. */
const RAISED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
] as const;

/** The WebGPU adapter of this machine, or a DeviceUnavailableError that says how to get one. */
export async function requestAdapter(gpu: GPU | undefined = globalThis.navigator?.gpu): Promise<GPUAdapter> {
  if (!gpu) {
    throw new DeviceUnavailableError(`Cannot open a WebGPU device: this runtime has none; ${INSTALL}`);
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new DeviceUnavailableError(`Cannot open a WebGPU device: no adapter; ${INSTALL}`);
  return adapter;
}

/** A device of the adapter with the largest limits that it offers. */
export async function requestDevice(
  adapter: GPUAdapter,
  features: GPUFeatureName[] = [],
): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]]));
  try {
    return await adapter.requestDevice({ label: "attention", requiredLimits, requiredFeatures: features });
  } catch (cause) {
    throw new DeviceUnavailableError(`Cannot open a WebGPU device: ${(cause as Error).message}`, { cause });
  }
}

/** Name, kind, features and limits of an adapter. */
export function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const name = description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed adapter";
  const fallback = adapter.info.isFallbackAdapter ?? false;
  const limits: Record<string, number> = {};
  for (const limit in adapter.limits) {
    const value = adapter.limits[limit as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[limit] = value;
  }
  return {
    name,
    software: fallback || /llvmpipe|lavapipe|swiftshader|basic render driver|warp/i.test(name),
    features: [...adapter.features],
    limits,
  };
}
