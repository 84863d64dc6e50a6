import { attention, type Device, type Tensor, tensor } from "../mod.ts";
import { loadWorkload } from "../workloads/workloads.ts";

/** One head, or several draws of it one behind the other, [heads, n, d]. */
export interface Head {
  readonly name: string;
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly scale: number;
}

/** The rows [from, to) of one head of a tensor [heads, n, d]. */
export function headRows({ data, shape: [, n, d] }: Tensor, head: number, from = 0, to = n): Tensor {
  return tensor(data.slice((head * n + from) * d, (head * n + to) * d), [1, to - from, d]);
}

/** One head of several, by default with all its rows. */
export function oneHead({ name, query, key, value, scale }: Head, head: number, rows?: number): Head {
  const own = (tensor: Tensor) => headRows(tensor, head, 0, rows);
  return { name, query: own(query), key: own(key), value: own(value), scale };
}

/** All heads of the sentence encoder on n tokens, named `layer.head`; layers below them are attended on the device. */
export async function* sentenceEncoderHeads(n: number, device: Device): AsyncGenerator<Head> {
  const below = async (query: Tensor, key: Tensor, value: Tensor) =>
    (await attention(query, key, value, { method: "exact", device })).output;
  for (const layer of [1, 2]) {
    const all = await loadWorkload("sentence-encoder", { n, head: `${layer}.all`, attention: below });
    for (let head = 0; head < all.query.shape[0]; head++) {
      yield { ...oneHead(all, head), name: `${layer}.${head}` };
    }
  }
}
