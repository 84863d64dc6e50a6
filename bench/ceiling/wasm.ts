import { compile } from "../../kernels/wasm/build.ts";
import { hasRelaxedSimd } from "../../kernels/wasm/engine/variants.ts";
import type { CeilingAnswer, CeilingTask } from "./worker.ts";

const MILLISECONDS = 300;

/**
 * Multiply-adds as the kernels do them, in as many chains as registers hold, and a copy; in AssemblyScript. Factors are
 * arguments: constants would be made anew for every use.
 */
const SOURCE = `
import { multiplyAdd } from "./simd";

export function multiplyAdds(rounds: u32, a: f32, b: f32): f32 {
  const factor = f32x4.splat(a), summand = f32x4.splat(b);
  ${chains((at) => `let x${at} = f32x4.splat(${at}.5);`)}
  for (let round: u32 = 0; round < rounds; round++) {
    ${
  Array.from({ length: 4 }, () => chains((at) => `x${at} = multiplyAdd(x${at}, factor, summand);`)).join("\n")
}
  }
  let sum = f32x4.splat(0);
  ${chains((at) => `sum = f32x4.add(sum, x${at});`)}
  return f32x4.extract_lane(sum, 0);
}

export function copy(to: usize, from: usize, bytes: u32): void {
  memory.copy(to, from, bytes);
}
`;

/** Independent chains: the latency of a multiply-add times how many start at once. */
function chains(line: (at: number) => string): string {
  return Array.from({ length: 12 }, (_, at) => line(at)).join("\n");
}
/** Operations of one round of `multiplyAdds`: chains, repetitions, lanes, a multiplication and an addition. */
const ROUND_WORK = 12 * 4 * 4 * 2;

/** What a number of threads do together, each in a module of its own. */
export async function wasmCeiling(
  threads: number,
  copiedBytes: number,
): Promise<{ flops: number; bytes: number }> {
  const binary = await compile(
    hasRelaxedSimd(),
    false,
    (name, read) => name === "index.ts" ? SOURCE : read(name),
  );
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
  );
  const sum = async (task: Omit<CeilingTask, "binary" | "milliseconds">) => {
    const rates = await Promise.all(
      workers.map((worker) => ask(worker, { ...task, binary, milliseconds: MILLISECONDS })),
    );
    return rates.reduce((total, rate) => total + rate, 0);
  };
  const bytes = Math.floor(copiedBytes / threads / 16) * 16;
  try {
    const flops = ROUND_WORK * await sum({ kind: "multiplyAdds", bytes });
    return { flops, bytes: 2 * await sum({ kind: "copy", bytes }) };
  } finally {
    for (const worker of workers) worker.terminate();
  }
}

function ask(worker: Worker, task: CeilingTask): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<CeilingAnswer>) => resolve(data.perSecond);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  });
}
