// Run by dawn_test.ts: prints the adapter that Dawn finds on this machine, or an empty line.
import { describeAdapter } from "../../../../kernels/webgpu/engine/adapter.ts";
import { loadDawn } from "./dawn.ts";

const adapter = await (await loadDawn()).requestAdapter();
console.log(adapter ? describeAdapter(adapter).name : "");
