import { Purpose, RandomStream } from "../kernels/random.ts";
import { type Tensor, tensor } from "../kernels/tensor.ts";
import type { InputSource } from "../proofs_checks/engine/claim.ts";
import type { InputOptions, NamedInput } from "../proofs_checks/inputs/family.ts";
import type { RealData } from "./workload.ts";
import { loadWorkload, realWorkloads } from "./workloads.ts";

/** Names of the sources of real data. */
export const realNames: readonly string[] = realWorkloads.map(({ verifyAs }) => verifyAs.name);

/** The sources of real data among the names. */
export function realSources(
  names: readonly string[],
  onProgress: (done: number, total: number, what: string) => void,
): InputSource[] {
  return realWorkloads.filter(({ verifyAs }) => names.includes(verifyAs.name)).map(({ name, verifyAs }) => {
    let loaded: Promise<NamedInput[]> | undefined;
    return {
      name: verifyAs.name,
      open: () => ({
        async next(options: InputOptions) {
          return stretch(await (loaded ??= load(name, verifyAs, onProgress)), options);
        },
      }),
    };
  });
}

async function load(
  workload: string,
  { n, heads = [] }: RealData,
  onProgress: (done: number, total: number, what: string) => void,
): Promise<NamedInput[]> {
  if (heads.length === 0) return [await loadWorkload(workload, { n, onProgress })];
  const parts: NamedInput[] = [];
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
function stretch(parts: readonly NamedInput[], options: InputOptions): NamedInput {
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
