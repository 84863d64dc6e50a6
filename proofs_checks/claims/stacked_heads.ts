import { makeProblem, type Problem } from "../../estimators/core/problem.ts";
import { tensor } from "../../kernels/tensor.ts";
import { inputFamily } from "../inputs/families.ts";
import type { AttentionInput } from "../inputs/family.ts";
import { VALUE_FEATURES } from "./settings.ts";

/** Heads of families that look unlike each other, values with means of their own; queries and keys are alike in number, as some methods need. */
export function unlikeHeads(names: readonly string[], n: number, seed: number): AttentionInput[] {
  return names.map((name, draw) => {
    const features = { features: VALUE_FEATURES, valueFeatures: VALUE_FEATURES };
    const input = inputFamily(name).generate({ n, seed, draw, ...features });
    return { ...input, value: tensor(input.value.data.map((x) => x + draw), input.value.shape) };
  });
}

/** Heads of one shape and scale, one after the other. */
export function stackHeads(heads: readonly AttentionInput[]): Problem {
  const stack = (part: "query" | "key" | "value") => {
    const [{ [part]: { shape: [, rows, width] } }] = heads;
    const data = Float32Array.from(heads.flatMap((head) => Array.from(head[part].data)));
    return tensor(data, [heads.length, rows, width]);
  };
  return makeProblem(stack("query"), stack("key"), stack("value"), { scale: heads[0].scale });
}
