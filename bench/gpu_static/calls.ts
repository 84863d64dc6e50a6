import type { Backend } from "../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import { exactAttention } from "../../estimators/core/exact.ts";
import { makeProblem } from "../../estimators/core/problem.ts";
import { attendAuto } from "../../estimators/methods/auto/auto.ts";
import { approximateMethods } from "../../estimators/methods/methods.ts";
import { SHAPES } from "../../workloads/layer_shapes.ts";

/** A whole call of a method. */
export interface Call {
  readonly name: string;
  /** Calls of one group have the same input, and the first of them is exact attention to it. */
  readonly group: string;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly method: "exact" | "auto" | "routed" | "tilted-tree";
  /** Keys in the block and sampled keys of each query, of those that approximate. */
  readonly budget?: readonly [bucketSize: number, samples: number];
}

const square = (heads: number, n: number, d = 64) => ({
  group: `${heads === 1 ? "1 head" : `${heads} heads`}, ${n} × ${n}, d = ${d}`,
  heads,
  queries: n,
  keys: n,
  features: d,
  valueFeatures: d,
});
const layer = (name: keyof typeof SHAPES) => {
  const { queries, keys, features, valueFeatures } = SHAPES[name];
  return { group: `${name}, batch 8`, heads: 8, queries, keys, features, valueFeatures };
};
const exact = { name: "exact", method: "exact" } as const;
const auto = { name: "auto, 256 keys", method: "auto", budget: [64, 192] } as const;
const tree = { name: "tilted-tree, 256 keys", method: "tilted-tree", budget: [64, 192] } as const;
const few = { name: "auto, 8 keys", method: "auto", budget: [3, 5] } as const;

/** The calls that the benchmark of GPUs looks at, those of a group side by side. */
export const calls: readonly Call[] = [
  { ...square(1, 4096), ...exact },
  { ...square(1, 4096), ...auto },
  { ...square(1, 4096), ...tree },
  { ...square(16, 4096), ...exact },
  { ...square(16, 4096), ...auto },
  { ...square(1, 65536), ...exact },
  { ...square(1, 65536), ...auto },
  { ...square(16, 65536), ...exact },
  { ...square(16, 65536), ...auto },
  { ...square(16, 65536), ...tree },
  // Budgets at which RESULTS.md finds the error of the published code reached, on most inputs and on clustered ones.
  { ...layer("t2t-vit-1"), ...exact },
  { ...layer("t2t-vit-1"), ...few },
  { ...layer("t2t-vit-1"), name: "routed, 20 keys", method: "routed", budget: [7, 13] },
  { ...layer("biggan-512"), ...exact },
  { ...layer("biggan-512"), ...few },
  { ...layer("biggan-512"), name: "routed, 48 keys", method: "routed", budget: [16, 32] },
];

/** Normal values, of which large arrays take the same ones again: a prime number, so that rows differ. */
const POOL = 999_983;
const pools = new Map<number, Float32Array>();

function normals(length: number, stream: number): Float32Array {
  const random = new RandomStream(1, Purpose.data, stream);
  const pool = pools.get(stream) ?? Float32Array.from({ length: POOL }, () => random.normal());
  pools.set(stream, pool);
  const values = new Float32Array(length);
  for (let at = 0; at < length; at += POOL) values.set(pool.subarray(0, Math.min(POOL, length - at)), at);
  return values;
}

/** Runs a call on normal values. */
export async function runCall(backend: Backend, call: Call): Promise<void> {
  const { heads, queries, keys, features, valueFeatures, method } = call;
  const rows = (stream: number, count: number, width: number) => ({
    data: normals(heads * count * width, stream),
    shape: [heads, count, width],
  });
  const problem = makeProblem(
    rows(0, queries, features),
    rows(1, keys, features),
    rows(2, keys, valueFeatures),
  );
  if (method === "exact") return void await exactAttention(backend, problem);
  const [bucketSize, samples] = call.budget!, budget = { bucketSize, samples, seed: 1 };
  const lift = (sums: Float32Array) => sums;
  if (method === "auto") await attendAuto(backend, { problem, exact: problem, lift }, budget, true);
  else await approximateMethods[method].attend(backend, problem, budget);
}
