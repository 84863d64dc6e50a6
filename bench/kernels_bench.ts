/** Every kernel by itself: `deno bench -A --no-lock bench/kernels_bench.ts`. The section `kernels` adds what is reached. */
import { openWasm } from "../kernels/wasm/backend.ts";
import { openWebGpu } from "../kernels/webgpu/backend.ts";
import { kernelCases } from "./kernels/cases.ts";

const opened = await Promise.allSettled([openWasm(), openWebGpu()]);
const backends = opened.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);

for (const backend of backends) {
  for (const { name, shape, prepare } of kernelCases(backend.kind)) {
    Deno.bench({ name: `${backend.kind}: ${name}`, group: `${name}, ${shape}` }, async (b) => {
      backend.reset();
      const record = prepare(backend);
      await backend.run([]);
      b.start();
      record();
      await backend.run([]);
      b.end();
    });
  }
}
