import { RandomStream } from "../kernels/random.ts";
import { type Tensor, tensor } from "../kernels/tensor.ts";
import type { InputSource } from "../proofs_checks/engine/claim.ts";
import type { InputOptions } from "../proofs_checks/inputs/family.ts";
import { loadWorkload, type Workload } from "./workloads/workloads.ts";

/** Workloads of real data, and how many rows are read, of which runs take stretches. */
const ROWS: Readonly<Record<string, number>> = { "glove": 20_000, "sentence-encoder": 4096 };
/** Names of the sources. */
export const realNames: readonly string[] = Object.keys(ROWS);
/** Stream of the places of the stretches; see `Purpose` of the generator. */
const STRETCH = 720;

/** The sources of real data among the names. */
export function realSources(
  names: readonly string[],
  onProgress: (done: number, total: number, what: string) => void,
): InputSource[] {
  return names.filter((name) => Object.hasOwn(ROWS, name)).map((name) => {
    let loaded: Promise<Workload> | undefined;
    return {
      name,
      open: () => ({
        async next(options: InputOptions) {
          return stretch(await (loaded ??= loadWorkload(name, { n: ROWS[name], onProgress })), options);
        },
      }),
    };
  });
}

/** Consecutive rows from a random place; features stay those of the data, and of the values the first are taken. */
function stretch({ query, key, value, scale }: Workload, options: InputOptions): Workload {
  const { n, seed, queries = n, valueFeatures = value.shape[2] } = options;
  const random = new RandomStream(seed, STRETCH), rows = key.shape[1];
  const cut = ({ data, shape: [, , width] }: Tensor, start: number, count: number, keep: number) =>
    tensor(
      Float32Array.from(
        { length: count * keep },
        (_, at) => data[((start + Math.floor(at / keep)) % rows) * width + at % keep],
      ),
      [1, count, keep],
    );
  const start = random.integer(rows), queryStart = queries === n ? start : random.integer(rows);
  return {
    name: "stretch",
    description: "consecutive rows of real data",
    query: cut(query, queryStart, queries, query.shape[2]),
    key: cut(key, start, n, key.shape[2]),
    value: cut(value, start, n, Math.min(valueFeatures, value.shape[2])),
    scale,
  };
}
