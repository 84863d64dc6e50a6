/** A `GPU` that hands out the real adapter and keeps hold of the devices made from it, to pull one away in a test. */
export function capturingGpu(): { gpu: GPU; devices: GPUDevice[] } {
  const devices: GPUDevice[] = [];
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await navigator.gpu.requestAdapter(options))!;
    return {
      info: adapter.info,
      limits: adapter.limits,
      features: adapter.features,
      requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
        const device = await adapter.requestDevice(descriptor);
        devices.push(device);
        return device;
      },
    };
  };
  return { gpu: { requestAdapter } as unknown as GPU, devices };
}
