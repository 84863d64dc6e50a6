// Run by browser_test.ts: takes away what a browser lacks, and what the argument names, then uses the backend.
import process from "node:process";
import { selfTest } from "../../../kernels/self_test.ts";

const lacking = process.argv[2];
// Not writable, but can be defined anew.
Object.defineProperty(globalThis, "Deno", { value: undefined });
Object.assign(globalThis, {
  process: undefined,
  setImmediate: undefined,
  crossOriginIsolated: lacking !== "isolation",
});
Atomics.wait = () => {
  throw new TypeError("Atomics.wait cannot be called in this context");
};
if (lacking === "workers") {
  globalThis.Worker = class {
    constructor() {
      throw new Error("Refused by the content security policy");
    }
  } as unknown as typeof Worker;
}
const { openWasm } = await import("../../../kernels/wasm/backend.ts");
const backend = await openWasm({ threads: 3 });
for (let repeat = 0; repeat < 20; repeat++) await selfTest(backend);
console.log(backend.adapter);
backend.destroy();
