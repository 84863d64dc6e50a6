/** Every kernel on every device, beside what the machine was seen to do. */
import type { Backend } from "../kernels/backend.ts";
import { openWasm } from "../kernels/wasm/backend.ts";
import { openWebGpu } from "../kernels/webgpu/backend.ts";
import { type Ceiling, measureCeiling } from "./ceiling.ts";
import { kernelCases } from "./kernels/cases.ts";
import { type KernelCase, MATRIX_BYTES } from "./kernels/kernel_case.ts";
import { digits, markdownTable, median, medianAndRange } from "./markdown.ts";
import { tell } from "./timing.ts";

/**
 * A kernel is recorded so often in one run that it takes this long, or at most so often: few copies where waking the
 * threads is all that comes on top, since results that do not fit the caches are slow to write; more where a run waits
 * for the device, and not always equally long.
 */
const COPIES = { wasm: { seconds: 0.01, most: 4 }, webgpu: { seconds: 0.1, most: 32 } };

/** Seconds of a run of so many copies of a kernel, and the work of one of them, in operations or bytes. */
async function timeRun(backend: Backend, { prepare, work }: KernelCase, copies: number) {
  backend.reset();
  const record = prepare(backend);
  // What was uploaded arrives now.
  await backend.run([]);
  const start = performance.now();
  let products = record();
  for (let copy = 1; copy < copies; copy++) products = record();
  await backend.run([]);
  const seconds = (performance.now() - start) / 1e3;
  if (!products) return { seconds, work };
  const [counts] = await backend.run([products]) as [Uint32Array];
  return { seconds, work: work * counts.reduce((sum, count) => sum + count, 0) };
}

/** Seconds of a run of nothing: on WebGPU the wait for the device. */
async function emptySeconds(backend: Backend, rounds: number): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await backend.run([]);
    seconds.push((performance.now() - start) / 1e3);
  }
  return median(seconds);
}

/** One kernel: the row of the table. */
async function measureKernel(
  backend: Backend,
  kernel: KernelCase,
  ceiling: Ceiling,
  rounds: number,
): Promise<string[]> {
  const empty = await emptySeconds(backend, rounds);
  // The first run compiles, the next ones warm up, and the last sees to the memory of all copies.
  let once = Infinity;
  for (let warm = 0; warm < 3; warm++) {
    once = Math.min(once, (await timeRun(backend, kernel, 1)).seconds - empty);
  }
  const { seconds: least, most } = COPIES[backend.kind as "wasm" | "webgpu"];
  const copies = Math.max(1, Math.min(most, Math.ceil(least / Math.max(once, 1e-6))));
  await timeRun(backend, kernel, copies);
  const times: number[] = [], rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { seconds, work } = await timeRun(backend, kernel, copies);
    times.push((seconds - empty) / copies);
    rates.push(work / times[round] / 1e9);
  }
  const { name, shape, unit } = kernel;
  tell(`${backend.kind}, ${name}: ${medianAndRange(rates)} ${unit}`);
  return [
    name,
    shape,
    medianAndRange(times.map((time) => 1e3 * time)),
    `${medianAndRange(rates)} ${unit}`,
    `${digits(100 * median(rates) / ceiling[unit])} %`,
  ];
}

async function measureDevice(open: () => Promise<Backend>, rounds: number): Promise<string> {
  const backend = await open();
  try {
    const threads = Number(/(\d+) threads?/.exec(backend.adapter)?.[1] ?? 1);
    const kind = backend.kind as "wasm" | "webgpu",
      ceiling = await measureCeiling(kind, threads, MATRIX_BYTES);
    const rows: string[][] = [];
    for (const kernel of kernelCases(kind)) rows.push(await measureKernel(backend, kernel, ceiling, rounds));
    return [
      `${backend.kind}, ${backend.adapter}: ceiling ${digits(ceiling["GFLOP/s"], 3)} GFLOP/s and ` +
      `${digits(ceiling["GB/s"], 3)} GB/s.`,
      markdownTable(["kernel", "shape", "ms", "rate", "of the ceiling"], rows),
    ].join("\n\n");
  } finally {
    backend.destroy();
  }
}

/** The section. */
export async function kernels([rounds = 15]: readonly number[]): Promise<string> {
  const parts: string[] = [];
  for (const open of [openWasm, openWebGpu]) {
    try {
      parts.push(await measureDevice(open, rounds));
    } catch (error) {
      parts.push(`Not measured: ${(error as Error).message}`);
    }
  }
  return [
    `Each kernel by itself, ${rounds} runs of up to ${COPIES.wasm.most} copies of it (${COPIES.webgpu.most} on WebGPU), ` +
    "inputs on the device and outputs left " +
    "there; a run of nothing is taken off. GFLOP/s count the multiplications and additions of products, not " +
    "exponentials or comparisons; GB/s count every byte that has to be read or written once. The ceiling is the best " +
    "that the same device did with as many threads: independent chains of multiply-adds, and a copy between two " +
    `arrays of ${digits(MATRIX_BYTES / 1e6)} MB (all threads together), as large as those of the kernels. ` +
    "`deno bench -A --no-lock bench/kernels_bench.ts` runs the same kernels.",
    ...parts,
  ].join("\n\n");
}
