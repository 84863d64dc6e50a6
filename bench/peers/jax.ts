import type { Tensor } from "../../kernels/tensor.ts";
import type { Engine } from "./engine.ts";

// Loaded at run time by name, so that the module itself does not depend on it.
const jaxPackage = "npm:@jax-js/jax@0.1.25";

/** jax-js; on WebAssembly it takes a thread for every core, whatever one would like. */
export function jax(kind: "webgpu" | "wasm"): Engine {
  return {
    name: `jax-js 0.1.25, ${kind}${kind === "wasm" ? `, ${navigator.hardwareConcurrency} threads` : ""}`,
    async prepare({ query, key, value }) {
      const [, n, d] = query.shape;
      const { defaultDevice, init, jit, nn, numpy } = await import(jaxPackage);
      await init(kind);
      defaultDevice(kind);
      // deno-lint-ignore no-explicit-any -- the package's arrays have no exported type
      const attend = jit((q: any, k: any, v: any) => nn.dotProductAttention(q, k, v));
      // (length, heads, features), consumed by each use unless a reference is taken
      const array = ({ data }: Tensor) => numpy.array(data).reshape([n, 1, d]);
      const [q, k, v] = [query, key, value].map(array);
      return async () => await attend(q.ref, k.ref, v.ref).data();
    },
  };
}
