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

/** Some heads, one behind the other; the problem itself if these are all of them. */
export function headsOf(problem: Problem, which: readonly number[]): Problem {
  if (which.length === problem.heads) return problem;
  const own = (data: Float32Array) => {
    const size = data.length / problem.heads, all = new Float32Array(which.length * size);
    which.forEach((head, at) => all.set(ofHead(data, head, problem.heads), at * size));
    return all;
  };
  return {
    ...problem,
    heads: which.length,
    query: own(problem.query),
    key: own(problem.key),
    value: own(problem.value),
    logWeights: problem.logWeights && own(problem.logWeights),
  };
}
