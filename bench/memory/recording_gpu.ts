/** Watches what buffers kernels are given. */
export interface RecordingGpu {
  /** This machine's WebGPU, for `openDevice`. */
  readonly gpu: GPU;
  /** The largest storage binding since the last reset, and the device's limit on one, in bytes. */
  found(): { readonly largest: number; readonly limit: number };
  /** Forgets what was seen. */
  reset(): void;
}

/** A `GPU` whose devices note the sizes of the buffers that they bind. */
export function recordingGpu(): RecordingGpu {
  let largest = 0, limit = NaN;
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = await navigator.gpu?.requestAdapter(options);
    if (!adapter) return null;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
      const device = await adapter.requestDevice(descriptor);
      limit = device.limits.maxStorageBufferBindingSize;
      const bind = device.createBindGroup.bind(device);
      device.createBindGroup = (group) => {
        for (const { resource } of group.entries) {
          const { buffer, size } = resource as GPUBufferBinding;
          if (buffer) largest = Math.max(largest, size ?? buffer.size);
        }
        return bind(group);
      };
      return device;
    };
    return { info: adapter.info, limits: adapter.limits, features: adapter.features, requestDevice };
  };
  return {
    gpu: { requestAdapter } as unknown as GPU,
    found: () => ({ largest, limit }),
    reset: () => void (largest = 0),
  };
}
