import type { Backend } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import type { Progress } from "../../../core/head_chunks.ts";
import { ofHead } from "../../../core/of_head.ts";
import type { Problem } from "../../../core/problem.ts";
import type { Budget, CostedAttention } from "../../method.ts";
import { runHeads } from "../../run_heads.ts";

/** One head on the host. */
export interface Head {
  /** Its number, for streams of random numbers. */
  readonly at: number;
  /** [queries, features] */
  readonly query: Float32Array;
  /** [keys, features] */
  readonly key: Float32Array;
  /** [keys, valueFeatures] */
  readonly value: Float32Array;
}

/** Output [queries, valueFeatures] and log-sum-exp [queries] of one head, and what it took. */
export interface CostedHead extends HostAttention {
  readonly keyEvaluations: number;
}

/**
 * The loop of methods that take one head at a time from the host: refuses what they cannot do and attends exactly where the budget covers
 * all keys, as {@link runHeads} does.
 */
export async function eachHead(
  name: string,
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
  attendHead: (head: Head) => Promise<CostedHead>,
): Promise<CostedAttention> {
  return await runHeads(name, backend, problem, budget, progress, async ({ first, count }) => {
    const { heads, queries, valueFeatures } = problem;
    const output = new Float32Array(count * queries * valueFeatures);
    const logSumExp = new Float32Array(count * queries);
    let keyEvaluations = 0;
    for (let at = first; at < first + count; at++) {
      progress.signal?.throwIfAborted();
      const own = (data: Float32Array) => ofHead(data, at, heads);
      const head = { at, query: own(problem.query), key: own(problem.key), value: own(problem.value) };
      const result = await attendHead(head);
      output.set(result.output, (at - first) * queries * valueFeatures);
      logSumExp.set(result.logSumExp, (at - first) * queries);
      keyEvaluations += result.keyEvaluations;
      backend.reset();
    }
    return { output, logSumExp, keyEvaluations };
  });
}
