/**
 * Error and time at equal budgets, on pretrained heads and word vectors: `deno task bench:error [seeds] [rounds]`.
 * Prints Markdown. Errors of other implementations stand in peer_errors.json, with their origin.
 */
import { attention, type AttentionOptions, openDevice, type Tensor, tensor } from "../mod.ts";
import { loadWorkload } from "../commands/workloads/workloads.ts";
import { relativeOutputError } from "../proofs_checks/spectral.ts";
import peers from "./peer_errors.json" with { type: "json" };

const BUDGETS = [64, 128, 256];
const TIMED = ["auto", "calibrated", "kdeformer-practical"] as const;
const METHODS = ["auto", "calibrated", "kdeformer-residual", "kdeformer-practical"] as const;

/** One head. */
interface Input {
  readonly name: string;
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly scale: number;
}

async function* inputs(): AsyncGenerator<Input> {
  for (const n of [2048, 4096]) {
    for (const layer of [1, 2]) {
      const all = await loadWorkload("sentence-encoder", { n, head: `${layer}.all` });
      for (let head = 0; head < all.query.shape[0]; head++) {
        yield { ...oneHead(all, head), name: `sentence-encoder n=${n} ${layer}.${head}` };
      }
    }
  }
  yield { ...await loadWorkload("glove", { n: 4096 }), name: "glove n=4096" };
}

function oneHead({ query, key, value, scale }: Omit<Input, "name">, head: number): Omit<Input, "name"> {
  const part = ({ data, shape }: Tensor) => {
    const size = shape[1] * shape[2];
    return tensor(data.slice(head * size, (head + 1) * size), [1, shape[1], shape[2]]);
  };
  return { query: part(query), key: part(key), value: part(value), scale };
}

/** What attention that sees nothing answers. */
function meanValue({ query, value }: Input): Tensor {
  const [, keys, width] = value.shape, mean = new Float64Array(width);
  value.data.forEach((x, at) => mean[at % width] += x / keys);
  const shape = [1, query.shape[1], width];
  return tensor(Float32Array.from({ length: shape[1] * width }, (_, at) => mean[at % width]), shape);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const digits = (x: number) => String(Number(x.toPrecision(2)));
const [seeds = 5, rounds = 11] = Deno.args.map(Number);
using device = await openDevice({ prefer: "wasm" });
type Errors = Record<string, Record<string, Record<string, number>>>;
const official = peers.inputs as Errors;
/** By budget and column. */
const ratios = new Map<string, number[]>();
const note = (key: string, value: number) => ratios.set(key, [...ratios.get(key) ?? [], value]);

console.log(
  `Medians over ${seeds} seeds; times are medians of ${rounds} interleaved rounds; ${device.adapter}.\n`,
);
console.log(
  `| input | f | ${
    METHODS.join(" | ")
  } | mean value | official | auto : official | auto : best rival | time auto : practical |`,
);
console.log(`|${" --- |".repeat(METHODS.length + 7)}`);
for await (const input of inputs()) {
  const { query, key, value, scale, name } = input;
  const run = (options: AttentionOptions) => attention(query, key, value, { ...options, scale, device });
  const exact = (await run({ method: "exact" })).output;
  const [nothing] = relativeOutputError(meanValue(input), exact);
  for (const f of BUDGETS) {
    const budget = { bucketSize: f / 2, samples: f };
    const errors: Record<string, number> = {};
    for (const method of METHODS) {
      const found: number[] = [];
      for (let seed = 1; seed <= seeds; seed++) {
        const { output } = await run({ ...budget, method, seed });
        found.push(relativeOutputError(output, exact)[0]);
      }
      errors[method] = median(found);
    }
    const seconds = new Map<string, number[]>(TIMED.map((method) => [method, []]));
    for (let round = 0; round < rounds; round++) {
      for (const method of TIMED) seconds.get(method)!.push((await run({ ...budget, method })).stats.seconds);
    }
    const time = (method: string) =>
      median(seconds.get(method)!) / median(seconds.get("kdeformer-practical")!);
    const rivals = official[name][f], best = Math.min(nothing, ...Object.values(rivals));
    for (const method of TIMED) {
      note(`${f} ${method} official`, errors[method] / rivals.official);
      note(`${f} ${method} best rival`, errors[method] / best);
      note(`${f} ${method} time`, time(method));
    }
    const against = [errors.auto / rivals.official, errors.auto / best, time("auto")];
    console.log(
      `| ${name} | ${f} | ${METHODS.map((method) => digits(errors[method])).join(" | ")} | ${
        digits(nothing)
      } | ${digits(rivals.official)} | ${against.map(digits).join(" | ")} |`,
    );
  }
}
console.log(
  `\n| f | method | error : official, median | worst | : best rival, median | worst | time : practical, median | worst |`,
);
console.log(`|${" --- |".repeat(8)}`);
for (const f of BUDGETS) {
  for (const method of TIMED) {
    const cells = ["official", "best rival", "time"].flatMap((what) => {
      const values = ratios.get(`${f} ${method} ${what}`)!;
      return [digits(median(values)), digits(Math.max(...values))];
    });
    console.log(`| ${f} | ${method} | ${cells.join(" | ")} |`);
  }
}
