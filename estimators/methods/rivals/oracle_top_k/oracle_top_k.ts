import type { Backend } from "../../../../kernels/backend.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import type { Problem } from "../../../core/problem.ts";
import { type Budget, type CostedAttention, type Method, perQuery } from "../../method.ts";
import { attendChosen } from "../shared/attend_chosen.ts";
import { eachHead } from "../shared/each_head.ts";
import { eachRow } from "../shared/each_row.ts";
import { logitRows } from "../shared/logit_rows.ts";
import { heaviest } from "./heaviest.ts";

/**
 * Attention of each query to the keys with its largest logits, as many as the budget says, and to no others. It looks at all keys to find
 * them, so that it is no method, but what every method that keeps heavy keys would be if it knew them: where it errs, no choice of keys
 * helps, and something has to stand for the rest.
 */
export const oracleTopK: Method = {
  summary:
    "an oracle: the heaviest keys of each query, found by looking at all of them; the rest is left out",
  source: "the best that methods of heavy keys (Reformer, Multipole, vAttention) can choose",
  random: false,
  withinBudget: false,
  onHost: "the choice and the softmax over it",
  attend,
};

async function attend(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress = {},
): Promise<CostedAttention> {
  const { queries, keys, features, valueFeatures, scale } = problem, most = Math.min(perQuery(budget), keys);
  const { signal } = progress;
  return await eachHead("oracle-top-k", backend, problem, budget, progress, async ({ query, key, value }) => {
    const output = new Float32Array(queries * valueFeatures), logSumExp = new Float32Array(queries);
    const rows = { data: query, count: queries }, directions = { data: key, count: keys };
    const stretches = logitRows(backend, rows, directions, features, scale, signal);
    for await (const { first, rows, logitsOf } of stretches) {
      await eachRow(rows, signal, (i) => {
        const row = first + i, all = logitsOf(i), index = heaviest(all, most);
        const logits = Float64Array.from(index, (at) => all[at]);
        const own = output.subarray(row * valueFeatures, (row + 1) * valueFeatures);
        logSumExp[row] = attendChosen({ count: most, index, logits }, value, own);
      });
    }
    return { output, logSumExp, keyEvaluations: queries * keys };
  });
}
