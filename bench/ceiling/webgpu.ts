import { requestAdapter, requestDevice } from "../../kernels/webgpu/engine/adapter.ts";

/** Invocations in all and in a workgroup, chains of each invocation, repetitions in a turn of its loop. */
const INVOCATIONS = 2 ** 14, GROUP = 64, CHAINS = 8, REPEATS = 8;
/** A measurement takes at least this long, beside which the wait for the device does not count. */
const LEAST_SECONDS = 0.3;

const lines = (line: (at: number) => string) =>
  Array.from({ length: CHAINS }, (_, at) => line(at)).join("\n");

/** Multiply-adds in independent chains of vectors. */
const MULTIPLY_ADDS = `
@group(0) @binding(0) var<storage, read> turns: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(${GROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(0.999);
  let summand = vec4f(0.001 * f32(id.x & 3u));
  ${lines((at) => `var x${at} = vec4f(f32(id.x) + ${at}.5);`)}
  for (var turn = 0u; turn < turns[0]; turn++) {
    ${
  Array.from({ length: REPEATS }, () => lines((at) => `x${at} = fma(x${at}, factor, summand);`)).join("\n")
}
  }
  var sum = vec4f(0);
  ${lines((at) => `sum += x${at};`)}
  result[id.x] = dot(sum, vec4f(1));
}`;

/** A copy, a vector for each invocation. */
const COPY = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_rows: array<vec4f>;
@compute @workgroup_size(${GROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&source)) { target_rows[id.x] = source[id.x]; }
}`;

/** Runs a shader so many times in one submission and waits for it; resolves to seconds. */
type Run = (dispatches: number) => Promise<number>;

function prepare(
  device: GPUDevice,
  code: string,
  first: GPUBuffer,
  second: GPUBuffer,
  workgroups: number,
): Run {
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }) },
  });
  const entries = [first, second].map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return async (dispatches) => {
    const start = performance.now(),
      encoder = device.createCommandEncoder(),
      pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let at = 0; at < dispatches; at++) pass.dispatchWorkgroups(workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1e3;
  };
}

/** Dispatches in a second, beyond what waiting takes: as many as fill the least time against one. */
async function perSecond(run: Run): Promise<number> {
  await run(1);
  for (let dispatches = 2;; dispatches *= 2) {
    const seconds = await run(dispatches);
    if (seconds >= LEAST_SECONDS) return (dispatches - 1) / (seconds - await run(1));
  }
}

/** What the adapter does with all of its cores. */
export async function webGpuCeiling(copiedBytes: number): Promise<{ flops: number; bytes: number }> {
  const device = await requestDevice(await requestAdapter()), turns = 64;
  const buffer = (size: number) =>
    device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  try {
    const count = buffer(16), result = buffer(4 * INVOCATIONS);
    device.queue.writeBuffer(count, 0, Uint32Array.of(turns));
    const add = prepare(device, MULTIPLY_ADDS, count, result, INVOCATIONS / GROUP);
    const flops = await perSecond(add) * INVOCATIONS * turns * CHAINS * REPEATS * 4 * 2;
    const size = Math.floor(copiedBytes / 16) * 16;
    const copy = prepare(device, COPY, buffer(size), buffer(size), Math.ceil(size / 16 / GROUP));
    return { flops, bytes: await perSecond(copy) * 2 * size };
  } finally {
    device.destroy();
  }
}
