/** Exact attention beside other engines, interleaved, every output checked against float64. */
import { attendAtOnce } from "../kernels/reference/attend.ts";
import { floats, floatValues } from "../kernels/reference/array.ts";
import { Purpose, RandomStream } from "../kernels/random.ts";
import { type Tensor, tensor } from "../kernels/tensor.ts";
import type { AttentionInput } from "../proofs_checks/inputs/family.ts";
import { digits, markdownTable, medianAndRange, millisecondsOf, ratiosOf } from "./markdown.ts";
import type { PreparedEngine } from "./peers/engine.ts";
import { engines } from "./peers/engines.ts";
import { raceInTurn, tell } from "./timing.ts";

const d = 64, CHECKED_ROWS = 32;
const ROUNDS = 9, FEW_ROUNDS = 5;
/** Beyond this there are few rounds: some engines take seconds. */
const LARGEST_OFTEN = 4096;
/** An output that is further off than this is wrong, not inexact. */
const WRONG = 1e-3;

function makeInput(n: number): AttentionInput {
  const normals = (stream: number) => {
    const random = new RandomStream(2302, Purpose.data, stream);
    return tensor(Float32Array.from({ length: n * d }, () => random.normal()), [1, n, d]);
  };
  return { query: normals(0), key: normals(1), value: normals(2), scale: 1 / Math.sqrt(d) };
}

/** Largest error against float64 of rows spread over the whole output: an engine may be right in the first rows only. */
function errorOf(output: Float32Array, { query, key, value, scale }: AttentionInput): number {
  const n = query.shape[1], rows = Math.min(CHECKED_ROWS, n);
  const wide = ({ data }: Pick<Tensor, "data">) => floats(Float64Array.from(data));
  const shape = { heads: 1, queries: rows, keys: n, features: d, valueFeatures: d, scale };
  const picked = Array.from({ length: rows }, (_, at) => Math.floor((at * n) / rows));
  const queries = Float32Array.from(
    { length: rows * d },
    (_, at) => query.data[picked[Math.floor(at / d)] * d + at % d],
  );
  const exact = floatValues(
    attendAtOnce({ ...shape, query: wide({ data: queries }), key: wide(key), value: wide(value) }).output,
  );
  let error = 0;
  exact.forEach((x, at) => {
    const difference = Math.abs(x - output[picked[Math.floor(at / d)] * d + at % d]);
    if (!(difference <= error)) error = Number.isFinite(difference) ? difference : Infinity;
  });
  return error;
}

/** The engines of one kind of device at one size, ours first. */
async function race(kind: "wasm" | "webgpu", n: number): Promise<string[][]> {
  const input = makeInput(n);
  const runners: { name: string; run: PreparedEngine; error: number }[] = [];
  for (const { name, largest, prepare } of engines(kind)) {
    if (largest !== undefined && n > largest) continue;
    tell(`n = ${n}: ${name}`);
    try {
      const run = await prepare(input);
      runners.push({ name, run, error: errorOf(await run(), input) });
    } catch (error) {
      tell(`${name} does not run at n = ${n}: ${(error as Error).message}`);
    }
  }
  const seconds = await raceInTurn(runners.map(({ run }) => run), n > LARGEST_OFTEN ? FEW_ROUNDS : ROUNDS);
  return runners.map(({ name, error }, at) => [
    String(n),
    name,
    millisecondsOf(seconds[at]),
    at === 0 ? "1" : medianAndRange(ratiosOf(seconds[at], seconds[0])),
    `${digits(error)}${error > WRONG ? " WRONG" : ""}`,
  ]);
}

/** The section. */
export async function peers(parameters: readonly number[]): Promise<string> {
  const sizes = parameters.length > 0 ? parameters : [1024, 2048, 4096, 8192], rows: string[][] = [];
  for (const kind of ["wasm", "webgpu"] as const) {
    for (const n of sizes) rows.push(...await race(kind, n));
  }
  return [
    `Exact attention of one head, d = ${d}, normal values, from the call to the output on the host; median of ` +
    `${ROUNDS} interleaved rounds, ${FEW_ROUNDS} beyond n = ${LARGEST_OFTEN}. Ratios are taken round by round. Every ` +
    `output is compared with float64 on ${CHECKED_ROWS} rows spread over all queries; one that is off by more than ` +
    `${WRONG} is called wrong, and its time means nothing. Names give the threads on WebAssembly and of native code. ` +
    "This module takes its inputs from the host at every call, and so does ONNX Runtime on the processor; for the " +
    "others they are on the device before. An engine without a row at some n takes seconds there or does not run.",
    markdownTable(["n", "engine", "ms", "time : ours", "largest error"], rows),
  ].join("\n\n");
}
