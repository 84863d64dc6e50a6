// Run by exit_test.ts: uses the WebAssembly backend and then, unless told to destroy it, just ends.
import process from "node:process";
import { openWasm } from "../../../kernels/wasm/backend.ts";

const backend = await openWasm({ threads: 3 });
const rows = backend.upload(Float32Array.of(1, 2, 3, 4));
const mean = backend.columnMean({ rows, heads: 1, count: 2, width: 2 });
console.log(backend.adapter, String((await backend.run([mean]))[0]));
if (process.argv[2] === "destroy") backend.destroy();
