/**
 * Exact attention beside other engines, interleaved in one run:
 *   deno task bench:peers [n …]
 * Prints a Markdown table of medians and ratios, and checks every output against float64.
 */
import process from "node:process";
import { attend } from "../kernels/reference/attend.ts";
import { floats, floatValues } from "../kernels/reference/array.ts";
import { Purpose, RandomStream } from "../kernels/random.ts";
import { type Engine, engines, type HeadInput, machine, type PreparedEngine } from "./peers/engines.ts";

const d = 64, rounds = 7, checkedRows = 32, PAUSE_MS = 40;

function makeInput(n: number): HeadInput {
  const normals = (stream: number) => {
    const random = new RandomStream(2302, Purpose.data, stream);
    return Float32Array.from({ length: n * d }, () => random.normal());
  };
  return { n, d, query: normals(0), key: normals(1), value: normals(2) };
}

/** Largest error of the first rows against float64. */
function errorOf(output: Float32Array, { n, query, key, value }: HeadInput): number {
  const rows = Math.min(checkedRows, n);
  const wide = (x: Float32Array) => floats(Float64Array.from(x));
  const shape = { heads: 1, queries: rows, keys: n, features: d, valueFeatures: d, scale: 1 / Math.sqrt(d) };
  // Spread over the whole output, since an engine may be right in the first rows only.
  const picked = Array.from({ length: rows }, (_, at) => Math.floor((at * n) / rows));
  const queries = Float32Array.from(
    { length: rows * d },
    (_, at) => query[picked[Math.floor(at / d)] * d + at % d],
  );
  const exact = floatValues(
    attend({ ...shape, query: wide(queries), key: wide(key), value: wide(value) }).output,
  );
  let error = 0;
  exact.forEach((x, at) => {
    const difference = Math.abs(x - output[picked[Math.floor(at / d)] * d + at % d]);
    if (!(difference <= error)) error = Number.isFinite(difference) ? difference : Infinity;
  });
  return error;
}

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1];

async function race(kind: "wasm" | "webgpu", n: number): Promise<string[]> {
  const input = makeInput(n);
  const runners: { engine: Engine; run: PreparedEngine; times: number[]; error: number }[] = [];
  for (const engine of engines(kind)) {
    try {
      const run = await engine.prepare(input);
      runners.push({ engine, run, times: [], error: errorOf(await run(), input) });
    } catch (error) {
      console.error(`${engine.name} does not run at n = ${n}: ${(error as Error).message}`);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const { run, times } of runners) {
      // Some engines' idle threads go on looking for work for a while; they shall not take the next one's time.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
  }
  const own = median(runners[0].times);
  return runners.map(({ engine, times, error }) => {
    const wrong = error > 1e-3 ? " WRONG" : "";
    return `| ${n} | ${engine.name} | ${median(times).toFixed(1)} | ${times[0].toFixed(1)}–${
      times.at(-1)!.toFixed(1)
    } | ` +
      `${(median(times) / own).toFixed(2)} | ${error.toExponential(1)}${wrong} |`;
  });
}

const sizes = process.argv.slice(2).map(Number).filter((n) => n > 0);
const lines = [
  `Exact attention, one head, d = ${d}; ${machine()}; ${rounds} interleaved rounds; input on the host, output on the host`,
  "",
  "| n | engine | median ms | range ms | time against ours | largest error |",
  "| --- | --- | --- | --- | --- | --- |",
];
for (const kind of ["wasm", "webgpu"] as const) {
  for (const n of sizes.length > 0 ? sizes : [1024, 2048, 4096, 8192]) lines.push(...await race(kind, n));
}
console.log(lines.join("\n"));
process.exit(0);
