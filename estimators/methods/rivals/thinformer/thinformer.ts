import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { pickRows } from "../../../linear_algebra/pick_rows.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { attendKept } from "../shared/attend_kept.ts";
import { eachHead } from "../shared/each_head.ts";
import { compressKeys, type Thinning } from "./compress_keys.ts";
import { thinnedRows } from "./pair_kernel.ts";
import { planThinning, stridedKeys } from "./plan_thinning.ts";

/**
 * Thinformer of Carrell, Gong, Shetty, Dwivedi and Mackey, "Low-Rank Thinning" (ICML 2025): keys are halved until few are left, so that the
 * sums of e^⟨k, ·⟩ and of values times it hardly change; all queries attend to those.
 *
 * The authors' code first thins n keys to a power of four by a stride, so that of n keys short of a multiple the last are never seen.
 * Here every key counts, whatever n is, and the budget says how many are kept and how large the buckets are.
 */
export const thinformer: Method = {
  summary:
    "keys halved again and again in balanced pairs; all queries attend to those that are left: where many keys weigh a little",
  source: "Carrell, Gong, Shetty, Dwivedi and Mackey 2025, KH-Compress",
  promise:
    "largest error below a share of the largest |value| that falls as the kept keys grow, for logits of low effective rank, with probability 1 − δ",
  random: true,
  withinBudget: true,
  onHost: "the choice of keys",
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys } = problem;
  const thinning = planThinning(queries, keys, queries * perQuery(budget));
  return await attendThinned(backend, problem, budget, thinning, {}, progress);
}

/**
 * Thinformer with any thinning.
 *
 * @param options `strided`: only the keys that the authors' code looks at.
 */
export async function attendThinned(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  thinning: Thinning,
  { strided = false }: { readonly strided?: boolean } = {},
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys, features, valueFeatures } = problem;
  return await eachHead(
    "thinformer",
    backend,
    problem,
    budget,
    progress,
    async ({ at, query, key, value }) => {
      const seen = strided ? stridedKeys(keys) : Uint32Array.from({ length: keys }, (_, row) => row);
      const rows = thinnedRows(key, value, problem);
      const random = new RandomStream(budget.seed, Purpose.coreset, at);
      const { kept, products } = compressKeys(rows, seen, thinning, random);
      const logWeight = thinning.rounds * Math.LN2 + Math.log(keys / seen.length);
      const weighted = {
        key: pickRows(key, features, kept),
        value: pickRows(value, valueFeatures, kept),
        logWeights: new Float32Array(kept.length).fill(logWeight),
      };
      const result = await attendKept(backend, problem, query, weighted, progress.signal);
      return { ...result, keyEvaluations: queries * kept.length + products };
    },
  );
}
