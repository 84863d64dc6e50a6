/**
 * Times the start of the module in a process that has done nothing else: `startup_child.ts wasm|webgpu` prints seconds as
 * one JSON object. The module is imported by the clock, so that nothing here may import it before.
 */
import process from "node:process";

/** Seconds of each step. */
export interface StartupTimes {
  /** Importing mod.ts, already fetched and compiled to JavaScript by an earlier process. */
  readonly load: number;
  /** Opening the device, its self test included. */
  readonly open: number;
  /** The first call on the open device. */
  readonly first: number;
  /** The median of the calls after it. */
  readonly warm: number;
}

const N = 512, D = 64, WARM_CALLS = 15;

async function timed<T>(run: () => Promise<T>): Promise<[seconds: number, result: T]> {
  const start = performance.now(), result = await run();
  return [(performance.now() - start) / 1e3, result];
}

if (import.meta.main) {
  const prefer = process.argv[2] as "wasm" | "webgpu";
  const [load, { attention, openDevice, tensor }] = await timed(() => import("../mod.ts"));
  const matrix = (phase: number) =>
    tensor(Float32Array.from({ length: N * D }, (_, at) => Math.sin(phase + 1.7 * at)), [N, D]);
  const [query, key, value] = [matrix(0), matrix(1), matrix(2)];
  const [open, device] = await timed(() => openDevice({ prefer }));
  const call = async () => (await timed(() => attention(query, key, value, { method: "exact", device })))[0];
  const first = await call(), later: number[] = [];
  for (let at = 0; at < WARM_CALLS; at++) later.push(await call());
  const warm = later.sort((a, b) => a - b)[WARM_CALLS >> 1];
  process.stdout.write(JSON.stringify({ load, open, first, warm } satisfies StartupTimes));
  process.exit(0);
}
