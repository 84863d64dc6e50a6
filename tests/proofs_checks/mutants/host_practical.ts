import type { Attend } from "../../../estimators/methods/method.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { hashBlocks } from "../../../proofs_checks/claims/block_removal.ts";

/** What can be wrong with blocks and samples. */
export type Fault =
  | "none"
  | "own block not masked"
  | "block counted twice"
  | "weights forgotten"
  | "weights of the square root"
  | "last key of a block dropped"
  | "order not undone"
  | "seed ignored";

/**
 * Algorithm 3 on the host in float64, one query at a time: blocks of an angular hash exactly, keys outside sampled evenly. Short
 * enough to be seen to be right, so that each fault is the only one.
 */
export function hostPractical(fault: Fault): Attend {
  return async (backend, problem, { bucketSize, samples, seed: given }) => {
    const { heads, queries, keys, features, valueFeatures, scale, query, key, value } = problem;
    if (heads !== 1) throw new Error("one head only");
    const seed = fault === "seed ignored" ? 0 : given;
    const blocks = Math.ceil(keys / bucketSize);
    const block = await hashBlocks(backend, problem, seed, blocks);
    backend.reset();
    const stream = new RandomStream(seed, Purpose.samples), draws = blocks === 1 ? 0 : samples;
    const drawn = Uint32Array.from({ length: draws }, () => stream.integer(keys));
    const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
    for (let i = 0; i < queries; i++) {
      const weights = new Map<number, number>(), own = block.query[i];
      const add = (j: number, weight: number) => weights.set(j, weight + (weights.get(j) ?? 0));
      let last = -1;
      for (let j = 0; j < keys; j++) {
        if (block.key[j] !== own) continue;
        add(j, fault === "block counted twice" ? 2 : 1);
        last = j;
      }
      if (fault === "last key of a block dropped" && weights.size > 1) weights.delete(last);
      const importance = keys / draws;
      for (const j of drawn) {
        if (block.key[j] === own && fault !== "own block not masked") continue;
        add(
          j,
          fault === "weights forgotten"
            ? 1
            : fault === "weights of the square root"
            ? Math.sqrt(importance)
            : importance,
        );
      }
      const logits = new Map([...weights].map(([j, weight]) => {
        let product = 0;
        for (let t = 0; t < features; t++) product += query[i * features + t] * key[j * features + t];
        return [j, scale * product + Math.log(weight)];
      }));
      const largest = Math.max(...logits.values());
      let total = 0;
      const row = new Float64Array(valueFeatures);
      for (const [j, logit] of logits) {
        const weight = Math.exp(logit - largest);
        total += weight;
        for (let c = 0; c < valueFeatures; c++) row[c] += weight * value[j * valueFeatures + c];
      }
      const to = fault === "order not undone" ? block.queryOrder.indexOf(i) : i;
      logSumExp[to] = largest + Math.log(total);
      for (let c = 0; c < valueFeatures; c++) output[to * valueFeatures + c] = row[c] / total;
    }
    return { output, logSumExp, keyEvaluations: queries * (bucketSize + draws) };
  };
}
