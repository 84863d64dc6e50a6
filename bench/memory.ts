/** How much memory a long sequence takes. */
import { attention, type AttentionOptions, openDevice } from "../mod.ts";
import { peakMemory } from "../commands/peak_memory.ts";
import { loadWorkload } from "../workloads/workloads.ts";
import { digits, markdownTable, median, medianAndRange } from "./markdown.ts";
import { recordingGpu } from "./memory/recording_gpu.ts";
import { tell } from "./timing.ts";

const WORKLOAD = "gaussian", SEED = 1, RUNS = 3;
const METHODS = ["auto", "kdeformer-practical"] as const;
const BUDGET = { bucketSize: 64, samples: 128 };
/** What a long sequence may take. */
const LIMIT_BYTES = 2 ** 31;

const cli = new URL("../cli.ts", import.meta.url);
const mebibytes = (bytes: number) => digits(bytes / 2 ** 20, 3);

/** What `cli.ts attend --json` reports in a process of its own. */
async function attendReport(
  args: readonly string[],
): Promise<{ seconds: number; method: string; "peak_bytes": number | null }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", cli.href, "attend", "--json", ...args],
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`Cannot measure memory: attend ${args.join(" ")} ended with ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** One method: growth while it attends, and the largest resident set of a whole command. */
async function measureMethod(n: number, method: typeof METHODS[number]): Promise<string[]> {
  const question = { workload: WORKLOAD, n, seed: SEED, device: "wasm" as const };
  const growths: number[] = [], peaks: number[] = [], times: number[] = [];
  let name: string = method;
  for (let run = 1; run <= RUNS; run++) {
    tell(`${method}, n = ${n}, run ${run}`);
    const growth = await peakMemory({ ...question, options: { method, ...BUDGET, seed: SEED } });
    const { seconds, method: ran, peak_bytes: peak } = await attendReport([
      ...["--device", "wasm", "--workload", WORKLOAD, "--n", String(n), "--seed", String(SEED)],
      ...["--method", method],
      ...["--bucket", String(BUDGET.bucketSize), "--samples", String(BUDGET.samples)],
    ]);
    if (ran !== method) name = `${method} (${ran})`;
    if (growth !== null) growths.push(growth);
    if (peak !== null) peaks.push(peak);
    times.push(seconds);
  }
  const share = peaks.map((peak) => 100 * peak / LIMIT_BYTES);
  return [
    name,
    medianAndRange(growths, mebibytes),
    medianAndRange(peaks, mebibytes),
    share.length > 0 ? `${digits(median(share))} %` : "–",
    medianAndRange(times, (seconds) => digits(seconds, 3)),
  ];
}

/** The largest buffer that a kernel is given on WebGPU, beside the largest that the device takes. */
async function measureBindings(n: number): Promise<string> {
  const recording = recordingGpu();
  using device = await openDevice({ prefer: "webgpu", gpu: recording.gpu });
  const { query, key, value, scale } = await loadWorkload(WORKLOAD, { n, seed: SEED });
  const rows: string[][] = [];
  for (const method of METHODS) {
    tell(`${method} on WebGPU, n = ${n}`);
    recording.reset();
    const options: AttentionOptions = { method, ...BUDGET, seed: SEED, scale, device };
    const { stats } = await attention(query, key, value, options);
    const { largest, limit } = recording.found();
    rows.push([
      stats.method === method ? method : `${method} (${stats.method})`,
      mebibytes(largest),
      mebibytes(limit),
      `${digits(100 * largest / limit)} %`,
    ]);
  }
  return markdownTable(["method", "largest binding, MiB", "maxStorageBufferBindingSize, MiB", "of it"], rows);
}

/** The section. */
export async function memory([n = 131072]: readonly number[]): Promise<string> {
  const rows: string[][] = [];
  for (const method of METHODS) rows.push(await measureMethod(n, method));
  const bindings = await measureBindings(n).catch((error) => `Not measured: ${(error as Error).message}`);
  return [
    `Normal values, n = ${n}, d = 64, ${BUDGET.bucketSize} + ${BUDGET.samples} keys for each query. Growth is that of ` +
    "the resident memory of a process that attends once, its input not counted; the largest resident set is that of a " +
    "whole process of `cli.ts attend --json`, which tells it, with the runtime, the input and the output; " +
    `${RUNS} processes each. On WebAssembly:`,
    markdownTable(
      ["method", "growth, MiB", "largest resident set, MiB", "of 2 GiB", "seconds"],
      rows,
    ),
    "On WebGPU, the largest buffer that any kernel was given:",
    bindings,
  ].join("\n\n");
}
