import type { Engine } from "./engine.ts";

// Loaded at run time by name, so that the module itself depends on none of them.
const corePackage = "npm:@tensorflow/tfjs-core@4.22.0";
const backendPackages = {
  wasm: "npm:@tensorflow/tfjs-backend-wasm@4.22.0",
  webgpu: "npm:@tensorflow/tfjs-backend-webgpu@4.22.0",
};

/** TensorFlow.js; on WebAssembly it has no threads but in browsers. */
export function tfjs(kind: "webgpu" | "wasm"): Engine {
  return {
    name: `tfjs 4.22.0, ${kind}${kind === "wasm" ? ", 1 thread" : ""}`,
    largest: kind === "wasm" ? 4096 : 2048,
    async prepare({ query, key, value }) {
      const [, n, d] = query.shape;
      const tf = await import(corePackage);
      await import(backendPackages[kind]);
      if (!await tf.setBackend(kind)) throw new Error(`its ${kind} backend does not start`);
      const [q, k, v] = [query, key, value].map(({ data }) => tf.tensor2d(data, [n, d]));
      return async () => {
        // Scaling queries takes less than scaling scores.
        const output = tf.tidy(() => {
          const scores = tf.matMul(tf.mul(q, 1 / Math.sqrt(d)), k, false, true);
          return tf.matMul(tf.softmax(scores), v);
        });
        const data = await output.data();
        output.dispose();
        return data;
      };
    },
  };
}
