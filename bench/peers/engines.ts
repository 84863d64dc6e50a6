import { attention, openDevice } from "../../mod.ts";
import type { Engine } from "./engine.ts";
import { jax } from "./jax.ts";
import { onnxNative, onnxWasm, onnxWebGpu } from "./onnx.ts";
import { tfjs } from "./tfjs.ts";

/** Our own exact attention on one kind of device. */
function ours(kind: "wasm" | "webgpu"): Engine {
  const device = openDevice({ prefer: kind, threads: 2 });
  device.catch(() => {});
  return {
    name: `this module, ${kind}${kind === "wasm" ? ", 2 threads" : ""}`,
    async prepare({ query, key, value }) {
      const opened = await device;
      return async () =>
        (await attention(query, key, value, { method: "exact", device: opened })).output.data;
    },
  };
}

/** Every engine of one kind of device, ours first; native code, which browsers do not run, goes with WebAssembly. */
export function engines(kind: "wasm" | "webgpu"): Engine[] {
  return kind === "wasm"
    ? [ours("wasm"), onnxWasm, jax("wasm"), tfjs("wasm"), onnxNative]
    : [ours("webgpu"), onnxWebGpu, jax("webgpu"), tfjs("webgpu")];
}
