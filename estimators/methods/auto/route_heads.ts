import type { Backend } from "../../../kernels/backend.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";
import type { HeldOutRows } from "../held_out.ts";
import { type Budget, type CostedAttention, shortenBudget } from "../method.ts";
import { routed } from "../routed/routed.ts";
import { heldOutRows, placeExactRows, probeHeads } from "../shared/probed_heads.ts";

/** Rows of a head that are computed exactly to tell the error of the others. */
const HELD_OUT = 4;

/** `routed` with some rows held out, which it does not need itself: all from the budget. */
export async function routeHeads(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
): Promise<CostedAttention> {
  const { heads, queries, keys } = problem, rows = Math.min(HELD_OUT, queries);
  const result = await routed.attend(
    backend,
    problem,
    shortenBudget(budget, rows * keys / queries),
    progress,
  );
  if (result.exact) return result;
  const counts = { uniform: 0, outlying: 0, heldOut: rows }, heldOut: HeldOutRows[] = [];
  for (let head = 0; head < heads; head++) {
    progress.signal?.throwIfAborted();
    const probed = probeHeads(backend, problem, counts, budget.seed, { first: head, count: 1 });
    const [output, logSumExp, meanValue] = await backend.run(
      [probed.exact.output, probed.exact.logSumExp, probed.valueMean],
      progress.signal,
    ) as Float32Array[];
    const own = {
      output: ofHead(result.output, head, heads),
      logSumExp: ofHead(result.logSumExp, head, heads),
    };
    heldOut.push(...heldOutRows(probed, rows, own, meanValue));
    placeExactRows(probed, own, { output, logSumExp });
    backend.reset();
  }
  return { ...result, keyEvaluations: result.keyEvaluations + heads * rows * keys, heldOut };
}
