import { type Tensor, tensor } from "../kernels/tensor.ts";
import type { AttentionInput, InputFamily } from "../proofs_checks/inputs/family.ts";
import type { CheckedOptions, Workload } from "./workload.ts";

/** A generated family of inputs as a workload. */
export function familyWorkload(family: InputFamily): Workload {
  const { name, description } = family;
  return {
    name,
    load: ({ n = 4096, batch, seed }: CheckedOptions) => ({
      name,
      ...stackDraws(batch, (draw) => family.generate({ n, seed, draw })),
      description,
    }),
  };
}

/** The draws of a batch as the heads of one problem. */
export function stackDraws(batch: number, generate: (draw: number) => AttentionInput): AttentionInput {
  const first = generate(0);
  if (batch === 1) return first;
  const stacks = {
    query: room(first.query, batch),
    key: room(first.key, batch),
    value: room(first.value, batch),
  };
  for (let draw = 0; draw < batch; draw++) {
    const input = draw === 0 ? first : generate(draw);
    for (const role of ["query", "key", "value"] as const) {
      stacks[role].data.set(input[role].data, draw * input[role].data.length);
    }
  }
  return { ...stacks, scale: first.scale };
}

function room({ data, shape: [, ...extents] }: Tensor, batch: number): Tensor {
  return tensor(new Float32Array(batch * data.length), [batch, ...extents]);
}
