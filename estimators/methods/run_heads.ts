import type { Backend } from "../../kernels/backend.ts";
import { exactAttention, PartCollector } from "../core/exact.ts";
import { headChunks, type Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import { countVisible } from "../core/visible_pairs.ts";
import type { HeldOutRows } from "./held_out.ts";
import { type Budget, type CostedAttention, perQuery } from "./method.ts";

/** Consecutive heads of a problem. */
export interface HeadRun {
  readonly first: number;
  readonly count: number;
}

/** What a method does with a run of heads: their outputs, [count, queries, …], on the host. */
export type RunHeads = (run: HeadRun) => Promise<CostedAttention>;

/**
 * The loop over heads that approximate methods share: refuses what they cannot do, attends exactly where the budget covers all
 * keys, cuts the heads into runs that fit the device, collects the results in order, and frees the device's arrays after each
 * run.
 *
 * @param name The method, for errors.
 * @param wide Numbers that a key takes on the device, where that is more than its features or values.
 * @throws {RangeError} If the problem hides keys, or a head does not fit the device.
 */
export async function runHeads(
  name: string,
  backend: Backend,
  problem: Problem,
  budget: Pick<Budget, "bucketSize" | "samples">,
  progress: Progress,
  run: RunHeads,
  wide = 0,
): Promise<CostedAttention> {
  requireEveryKey(name, problem);
  if (perQuery(budget) >= problem.keys) {
    return await attendExactly(backend, problem, progress, "exact: the budget covers every key");
  }
  return await runEachHead(name, backend, problem, progress, run, wide);
}

/** {@link runHeads} for a method that has seen to hidden keys, and to a budget that covers every key. */
export async function runEachHead(
  name: string,
  backend: Backend,
  problem: Problem,
  progress: Progress,
  run: RunHeads,
  wide = 0,
): Promise<CostedAttention> {
  const { queries, keys, valueFeatures } = problem;
  const parts = new PartCollector();
  const sized = { ...problem, valueFeatures: Math.max(valueFeatures, wide) };
  let heldOut: HeldOutRows[] | undefined = [];
  let keyEvaluations = 0, exact = true;
  for (const { first, count, oversized } of headChunks(backend, sized, progress)) {
    if (oversized) {
      throw new RangeError(
        `Cannot run ${name}: one head must fit an array of ${backend.largestArrayBytes} bytes on ${backend.kind}: ` +
          `it has ${queries} queries and ${keys} keys; method exact splits heads`,
      );
    }
    const result = await run({ first, count });
    parts.add([result.output, result.logSumExp]);
    keyEvaluations += result.keyEvaluations;
    if (result.heldOut) heldOut?.push(...result.heldOut);
    else heldOut = undefined;
    exact &&= result.exact === true;
    backend.reset();
  }
  return { ...parts.result(), keyEvaluations, heldOut, exact };
}

/** What a method returns where it leaves everything to exact attention. */
export async function attendExactly(
  backend: Backend,
  problem: Problem,
  progress: Progress,
  note?: string,
): Promise<CostedAttention> {
  const result = await exactAttention(backend, problem, progress);
  return { ...result, keyEvaluations: countVisible(problem), exact: true, note };
}

/**
 * Refuses a problem in which some query does not see some key: methods would attend to it without a word. `visible.ts` cuts
 * such problems into parts that methods take.
 *
 * @throws {RangeError} Naming the method.
 */
export function requireEveryKey(name: string, { causalOffset, logWeights }: Problem): void {
  if (causalOffset !== undefined || logWeights !== undefined) {
    throw new RangeError(`Cannot run ${name}: every key must be visible to every query: use method exact`);
  }
}
