// Run by worker_lost_test.ts on each runtime: ends a worker during a call, and says what became of it and of the next one.
import process from "node:process";
import { Worker } from "node:worker_threads";
import { attention, openDevice, tensor } from "../../../mod.ts";

const made: Worker[] = [], builtin = process.getBuiltinModule.bind(process);
class NotedWorker extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    made.push(this);
  }
}
Object.assign(process, {
  getBuiltinModule: (name: string) =>
    name === "node:worker_threads" ? { Worker: NotedWorker } : builtin(name),
});
const prefer = process.argv[2] === "named" ? "wasm" : undefined;
const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
const device = await openDevice({ prefer, gpu, threads: 2, onWarning: () => {} });
const n = 8192, rows = tensor(Float32Array.from({ length: n * 64 }, (_, i) => Math.sin(i * i)), [n, 64]);
const said: string[] = [];
let worker: Worker | undefined = made[0];
const call = async (from = rows) => {
  const { stats } = await attention(from, rows, rows, { method: "exact", device });
  said.push(stats.device);
};
const running = call().catch((error) => said.push(error.name));
setTimeout(() => {
  worker?.terminate();
  worker = undefined;
}, 60);
await running;
await call(tensor(rows.data.slice(0, 640), [10, 64]));
console.log(said.join(", "));
device[Symbol.dispose]();
