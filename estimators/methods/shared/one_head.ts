import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";

/** One head by itself. */
export function headOf(problem: Problem, head: number): Problem {
  const own = (data: Float32Array) => ofHead(data, head, problem.heads);
  return {
    ...problem,
    heads: 1,
    query: own(problem.query),
    key: own(problem.key),
    value: own(problem.value),
    logWeights: problem.logWeights && own(problem.logWeights),
  };
}
