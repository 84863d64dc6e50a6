import type { Tensor } from "../../kernels/tensor.ts";
import type { Engine } from "./engine.ts";
import { onnxAttention, type ScoreOperators } from "./onnx_attention.ts";

// The packages are loaded at run time by name, so that the module itself depends on none of them.
const webPackage = "npm:onnxruntime-web@1.30.0";
/** Another build of the same version, with WebGPU: each keeps its own state, so that both may be loaded. */
const webGpuPackage = `${webPackage}/webgpu`;
const nodePackage = "npm:onnxruntime-node@1.30.0";

/** What differs between the devices. */
interface OnnxOptions {
  readonly specifier: string;
  readonly provider: "wasm" | "webgpu" | "cpu";
  /** Of the processor, which prepares the graph also where WebGPU computes. */
  readonly threads: number;
  readonly operators?: ScoreOperators;
  readonly largest?: number;
}

/** The part of the packages' sessions that is used. */
interface Session {
  run(feeds: Record<string, unknown>): Promise<{ o: { data: Float32Array } }>;
}

function onnx(
  name: string,
  { specifier, provider, threads, operators, largest }: OnnxOptions,
): Engine {
  return {
    name,
    largest,
    async prepare({ query, key, value }) {
      const [, n, d] = query.shape;
      const loaded = await import(specifier), ort = loaded.InferenceSession ? loaded : loaded.default;
      if (ort.env.wasm) ort.env.wasm.numThreads = threads;
      const options = { executionProviders: [provider], intraOpNumThreads: threads };
      const session = await keepingWorkers<Session>(() =>
        ort.InferenceSession.create(onnxAttention(n, n, d, d, operators), options)
      );
      const device: GPUDevice | undefined = provider === "webgpu" ? await ort.env.webgpu.device : undefined;
      const tensor = ({ data }: Tensor) => {
        const dims = [1, n, d];
        if (!device) return new ort.Tensor("float32", data, dims);
        return ort.Tensor.fromGpuBuffer(uploaded(device, data), { dataType: "float32", dims });
      };
      const feeds = { q: tensor(query), k: tensor(key), v: tensor(value) };
      return async () => (await session.run(feeds)).o.data;
    },
  };
}

/** The web package takes Deno for Node.js and puts Node's workers in the place of those that other engines use. */
async function keepingWorkers<T>(body: () => Promise<T>): Promise<T> {
  const { Worker } = globalThis;
  try {
    return await body();
  } finally {
    globalThis.Worker = Worker;
  }
}

/** A buffer for the engine, which would upload an array at every call. */
function uploaded(device: GPUDevice, data: Float32Array): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: data.byteLength, usage, mappedAtCreation: true });
  new Float32Array(buffer.getMappedRange()).set(data);
  buffer.unmap();
  return buffer;
}

/** ONNX Runtime in WebAssembly. */
export const onnxWasm: Engine = onnx("onnxruntime-web 1.30.0, wasm, 2 threads", {
  specifier: webPackage,
  provider: "wasm",
  threads: 2,
});

/** ONNX Runtime as native code. */
export const onnxNative: Engine = onnx("onnxruntime-node 1.30.0, native code, 2 threads", {
  specifier: nodePackage,
  provider: "cpu",
  threads: 2,
});

/** ONNX Runtime on WebGPU. Its own operator MultiHeadAttention takes half as long again on an emulated device. */
export const onnxWebGpu: Engine = onnx("onnxruntime-web 1.30.0, webgpu", {
  specifier: webGpuPackage,
  provider: "webgpu",
  threads: 1,
  operators: "standard",
  largest: 4096,
});
