import { attention, openDevice } from "../../mod.ts";
import { onnxAttention } from "./onnx_attention.ts";

/** One head of exact attention with the default scale. */
export interface HeadInput {
  readonly n: number;
  readonly d: number;
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
}

/** An engine made ready for one input: each call attends and resolves to the output on the host. */
export type PreparedEngine = () => Promise<Float32Array>;

/** An attention engine to time. */
export interface Engine {
  readonly name: string;
  /** Readies the engine for an input; `null` if it cannot run here. */
  prepare(input: HeadInput): Promise<PreparedEngine>;
}

/** Our own exact attention on one kind of device. */
function ours(kind: "wasm" | "webgpu"): Engine {
  const device = openDevice({ prefer: kind, threads: 2 });
  device.catch(() => {});
  return {
    name: `this module, ${kind}`,
    async prepare({ n, d, query, key, value }) {
      const shape = [n, d];
      const [q, k, v] = [query, key, value].map((data) => ({ data, shape }));
      const opened = await device;
      return async () => (await attention(q, k, v, { method: "exact", device: opened })).output.data;
    },
  };
}

// The packages are loaded at run time by name, so that the module itself depends on none of them.
const onnxPackage = "npm:onnxruntime-web@1.30.0";
const onnxNodePackage = "npm:onnxruntime-node@1.30.0";
const jaxPackage = "npm:@jax-js/jax@0.1.25";

function onnx(name: string, specifier: string, options: Record<string, unknown>): Engine {
  return {
    name,
    async prepare({ n, d, query, key, value }) {
      const loaded = await import(specifier), ort = loaded.InferenceSession ? loaded : loaded.default;
      if (ort.env.wasm) ort.env.wasm.numThreads = 2;
      const session = await ort.InferenceSession.create(onnxAttention(n, n, d, d), options);
      const tensor = (data: Float32Array) => new ort.Tensor("float32", data, [1, n, d]);
      const feeds = { q: tensor(query), k: tensor(key), v: tensor(value) };
      return async () => (await session.run(feeds)).o.data;
    },
  };
}

/** ONNX Runtime in WebAssembly. */
export const onnxWasm: Engine = onnx("onnxruntime-web 1.30.0, wasm, 2 threads", onnxPackage, {
  executionProviders: ["wasm"],
});

/** ONNX Runtime as native code. */
export const onnxNative: Engine = onnx("onnxruntime-node 1.30.0, 2 threads", onnxNodePackage, {
  executionProviders: ["cpu"],
  intraOpNumThreads: 2,
});

function jax(kind: "webgpu" | "wasm"): Engine {
  return {
    name: `jax-js 0.1.25, ${kind}`,
    async prepare({ n, d, query, key, value }) {
      const { defaultDevice, init, jit, nn, numpy } = await import(jaxPackage);
      await init(kind);
      defaultDevice(kind);
      // deno-lint-ignore no-explicit-any -- the package's arrays have no exported type
      const attend = jit((q: any, k: any, v: any) => nn.dotProductAttention(q, k, v));
      // (length, heads, features), consumed by each use unless a reference is taken
      const array = (data: Float32Array) => numpy.array(data).reshape([n, 1, d]);
      const [q, k, v] = [query, key, value].map(array);
      return async () => await attend(q.ref, k.ref, v.ref).data();
    },
  };
}

/** Every engine of one kind of device, ours first. */
export function engines(kind: "wasm" | "webgpu"): Engine[] {
  return kind === "wasm" ? [ours("wasm"), onnxWasm] : [ours("webgpu"), jax("webgpu")];
}
