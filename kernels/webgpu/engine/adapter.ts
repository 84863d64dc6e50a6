import { DeviceAbsentError, DeviceUnavailableError } from "../../errors.ts";

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

/**
 * The WebGPU adapter of this machine.
 *
 * @throws {DeviceUnavailableError} If there is none, saying how to get one, or it is one that would hang.
 */
export async function requestAdapter(gpu: GPU | undefined = globalThis.navigator?.gpu): Promise<GPUAdapter> {
  if (!gpu) {
    throw new DeviceAbsentError(`Cannot open a WebGPU device: this runtime has none; ${INSTALL}`);
  }
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch (cause) {
    const { message } = cause as Error;
    throw new DeviceUnavailableError(`Cannot open a WebGPU device: no adapter is given: ${message}`, {
      cause,
    });
  }
  if (!adapter) throw new DeviceAbsentError(`Cannot open a WebGPU device: no adapter; ${INSTALL}`);
  if (isEmulatedOpenGl(adapter)) {
    throw new DeviceAbsentError(
      `Cannot open a WebGPU device: ${
        describeAdapter(adapter).name
      } is reached by OpenGL, where Mesa's CPU driver takes ` +
        `for ever to compile kernels that share memory; ${INSTALL}`,
    );
  }
  return adapter;
}

/**
 * Whether an adapter is Mesa's CPU driver behind OpenGL rather than Vulkan. Its compiler (LLVM's splitting of coroutines, which
 * Mesa makes of kernels with barriers) does not end on the larger kernels, within a call that holds up the event loop, so that
 * nothing can be tried. WebGPU does not name the interface; but Mesa unpacks ETC2 textures itself for OpenGL alone.
 */
function isEmulatedOpenGl(adapter: GPUAdapter): boolean {
  return /llvmpipe|softpipe/i.test(describeAdapter(adapter).name) &&
    adapter.features.has("texture-compression-etc2");
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

/** Name, kind, features and limits of an adapter, or of one behind a device. */
export function describeAdapter(
  adapter: Pick<GPUAdapter, "info" | "features" | "limits">,
): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const name = description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed adapter";
  const fallback = (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter ?? false;
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
