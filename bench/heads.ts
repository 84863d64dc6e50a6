import { attention, type Device, type Tensor, tensor } from "../mod.ts";
import type { NamedInput } from "../proofs_checks/inputs/family.ts";
import { loadWorkload } from "../workloads/workloads.ts";

/** The rows [from, to) of one head of a tensor [heads, n, d]. */
export function headRows({ data, shape: [, n, d] }: Tensor, head: number, from = 0, to = n): Tensor {
  return tensor(data.slice((head * n + from) * d, (head * n + to) * d), [1, to - from, d]);
}

/** One head of several, by default with all its rows. */
export function oneHead({ query, key, value, ...rest }: NamedInput, head: number, rows?: number): NamedInput {
  const own = (tensor: Tensor) => headRows(tensor, head, 0, rows);
  return { ...rest, query: own(query), key: own(key), value: own(value) };
}

/**
 * All heads of the sentence encoder on n tokens, named `layer.head`; layers below them are attended on the device, or as the workload does it where none is
 * given: the same to the bit everywhere, in half a minute.
 */
export async function* sentenceEncoderHeads(n: number, device?: Device): AsyncGenerator<NamedInput> {
  const below = device &&
    (async (query: Tensor, key: Tensor, value: Tensor) =>
      (await attention(query, key, value, { method: "exact", device })).output);
  for (const layer of [1, 2]) {
    const all = await loadWorkload("sentence-encoder", { n, head: `${layer}.all`, attention: below });
    for (let head = 0; head < all.query.shape[0]; head++) {
      yield { ...oneHead(all, head), name: `${layer}.${head}` };
    }
  }
}
