import { Purpose, RandomStream } from "../kernels/random.ts";
import { type Tensor, tensor } from "../kernels/tensor.ts";
import type { InputSource } from "../proofs_checks/engine/claim.ts";
import type { InputOptions } from "../proofs_checks/inputs/family.ts";
import { loadWorkload, type Workload } from "./workloads.ts";

/** Real data that a claim can be checked on. */
interface RealData {
  readonly workload: string;
  /** How many rows are read, of which runs take stretches. */
  readonly n: number;
  /** What is loaded of the workload, of which each run takes one head; its default alone if left out. */
  readonly heads?: readonly string[];
}

const SOURCES: Readonly<Record<string, RealData>> = {
  "glove": { workload: "glove", n: 20_000 },
  "sentence-encoder": { workload: "sentence-encoder", n: 4096 },
  "ocr-heads": { workload: "ocr", n: 2048, heads: ["1.all", "2.all"] },
};
/** Names of the sources. */
export const realNames: readonly string[] = Object.keys(SOURCES);

/** The sources of real data among the names. */
export function realSources(
  names: readonly string[],
  onProgress: (done: number, total: number, what: string) => void,
): InputSource[] {
  return names.filter((name) => Object.hasOwn(SOURCES, name)).map((name) => {
    let loaded: Promise<Workload[]> | undefined;
    return {
      name,
      open: () => ({
        async next(options: InputOptions) {
          return stretch(await (loaded ??= load(SOURCES[name], onProgress)), options);
        },
      }),
    };
  });
}

async function load(
  { workload, n, heads = [] }: RealData,
  onProgress: (done: number, total: number, what: string) => void,
): Promise<Workload[]> {
  if (heads.length === 0) return [await loadWorkload(workload, { n, onProgress })];
  const parts: Workload[] = [];
  // One after another: each may hold a model in memory.
  for (const head of heads) parts.push(await loadWorkload(workload, { n, head, onProgress }));
  return parts;
}

/**
 * Consecutive rows of a random head from a random place; features stay those of the data, and of the values
 * the first are taken.
 *
 * @param parts Workloads of equal shapes.
 */
function stretch(parts: readonly Workload[], options: InputOptions): Workload {
  const perPart = parts[0].key.shape[0];
  const chosen = new RandomStream(options.seed, Purpose.head).integer(parts.length * perPart);
  const { query, key, value, scale } = parts[Math.floor(chosen / perPart)], head = chosen % perPart;
  const { n, seed, queries = n, valueFeatures = value.shape[2] } = options;
  const random = new RandomStream(seed, Purpose.stretch), rows = key.shape[1];
  const cut = ({ data, shape: [, , width] }: Tensor, start: number, count: number, keep: number) =>
    tensor(
      Float32Array.from(
        { length: count * keep },
        (_, at) => data[(head * rows + (start + Math.floor(at / keep)) % rows) * width + at % keep],
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
