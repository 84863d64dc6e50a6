/**
 * Long sequences: each pretrained head at the least budget whose error is small enough, beside exact attention of
 * this module and of ONNX Runtime, interleaved in one run: `deno task bench:long [n …]`. Prints Markdown.
 */
import process from "node:process";
import { attention, openDevice, type Tensor, tensor } from "../mod.ts";
import { loadWorkload } from "../commands/workloads/workloads.ts";
import { timeInTurn } from "../proofs_checks/comparison/time_in_turn.ts";
import { relativeOutputError } from "../proofs_checks/spectral.ts";
import { sampleQuantile } from "../proofs_checks/statistics/quantile.ts";
import { type Engine, machine, onnxNative, onnxWasm, type PreparedEngine } from "./peers/engines.ts";

/** ‖Att~ − Att‖ / ‖Att‖ that the budget is chosen for, as the median over the seeds. */
const LARGEST_ERROR = 0.05;
const SEEDS = 3, ROUNDS = 5;
/** Beyond this its score matrix of n² floats does not fit WebAssembly's memory. */
const LONGEST_ONNX = 16384;

/** One head [1, n, d]. */
interface Head {
  readonly name: string;
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly scale: number;
}

async function* heads(n: number): AsyncGenerator<Head> {
  const below = async (q: Tensor, k: Tensor, v: Tensor) =>
    (await attention(q, k, v, { method: "exact", device })).output;
  for (const layer of [1, 2]) {
    const all = await loadWorkload("sentence-encoder", { n, head: `${layer}.all`, attention: below });
    const [count, , d] = all.query.shape;
    for (let head = 0; head < count; head++) {
      const own = ({ data }: Tensor) => tensor(data.slice(head * n * d, (head + 1) * n * d), [1, n, d]);
      yield {
        name: `${layer}.${head}`,
        query: own(all.query),
        key: own(all.key),
        value: own(all.value),
        scale: all.scale,
      };
    }
  }
}

const median = (values: readonly number[]) => sampleQuantile(values, 0.5);
const milliseconds = (seconds: number) => (1e3 * seconds).toPrecision(3);
using device = await openDevice({ prefer: "wasm" });

/** The least budget, doubling from 64 samples, whose error is small enough, and that error. */
async function leastBudget({ query, key, value, scale }: Head, exact: Tensor) {
  for (let samples = 64;; samples *= 2) {
    const budget = { bucketSize: samples / 2, samples };
    const errors: number[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { output } = await attention(query, key, value, { ...budget, seed, scale, device });
      errors.push(relativeOutputError(output, exact)[0]);
    }
    if (median(errors) <= LARGEST_ERROR || 1.5 * samples >= key.shape[1]) {
      return { budget, error: median(errors) };
    }
  }
}

/** ONNX Runtime's attention is made for the scale 1/√d, which the heads have. */
async function prepare(engine: Engine, { query, key, value }: Head): Promise<PreparedEngine | undefined> {
  const [, n, d] = query.shape;
  if (n > LONGEST_ONNX) return undefined;
  try {
    const run = await engine.prepare({ n, d, query: query.data, key: key.data, value: value.data });
    await run();
    return run;
  } catch (error) {
    console.error(`${engine.name} does not run at n = ${n}: ${(error as Error).message}`);
    return undefined;
  }
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  // Some engines' idle threads go on looking for work for a while; they shall not take the next one's time.
  await new Promise((resolve) => setTimeout(resolve, 40));
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1e3;
}

const sizes = process.argv.slice(2).map(Number).filter((n) => n > 0);
console.log(
  `${machine()}; ${device.adapter}; ${ROUNDS} interleaved rounds; errors: medians of ${SEEDS} seeds.\n`,
);
console.log(
  "| n | head | budget | error | auto ms | exact ms | onnxruntime-web ms | onnxruntime-node ms | auto: exact | : onnxruntime-web | : onnxruntime-node |",
);
console.log(`|${" --- |".repeat(11)}`);
for (const n of sizes.length > 0 ? sizes : [4096, 16384]) {
  for await (const head of heads(n)) {
    const { query, key, value, scale } = head;
    const exactly = () => attention(query, key, value, { method: "exact", scale, device });
    const { budget, error } = await leastBudget(head, (await exactly()).output);
    const runs = [
      () => attention(query, key, value, { ...budget, seed: 1, scale, device }),
      exactly,
      await prepare(onnxWasm, head),
      await prepare(onnxNative, head),
    ];
    const seconds = await timeInTurn(
      runs.map((run) => async () => run ? await secondsOf(run) : NaN),
      ROUNDS,
    );
    const [auto, ...others] = seconds.map((times) => Number.isNaN(times[0]) ? NaN : median(times));
    const cells = [auto, ...others].map((time) => Number.isNaN(time) ? "–" : milliseconds(time));
    const ratios = others.map((time) => Number.isNaN(time) ? "–" : `${(time / auto).toPrecision(2)}x`);
    const perQuery = budget.bucketSize + budget.samples;
    console.log(
      `| ${n} | ${head.name} | ${perQuery} | ${error.toPrecision(2)} | ${cells.join(" | ")} | ${
        ratios.join(" | ")
      } |`,
    );
  }
}
process.exit(0);
