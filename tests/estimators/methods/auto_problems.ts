import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";

/** A problem of a family, with rows of odd widths. */
export function problemOf(
  family: string,
  n: number,
  options: { causal?: boolean; seed?: number } = {},
): Problem {
  const { seed = 7, causal } = options;
  const { query, key, value, scale } = inputFamily(family).generate({
    n,
    seed,
    features: 48,
    valueFeatures: 40,
  });
  return makeProblem(query, key, value, { scale, causal });
}

/** The heads of several problems of one shape. */
export function join(problems: readonly Problem[]): Problem {
  const all = (name: "query" | "key" | "value") => Float32Array.from(problems.flatMap((p) => [...p[name]]));
  const [first] = problems;
  return {
    ...first,
    heads: problems.length,
    query: all("query"),
    key: all("key"),
    value: all("value"),
    largestKey: Math.max(...problems.map((p) => p.largestKey)),
    largestValue: Math.max(...problems.map((p) => p.largestValue)),
  };
}

const frobenius = (data: Float32Array) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

/** ‖output − exact‖/‖exact‖ in Frobenius norm. */
export function trueError(output: Float32Array, exact: Float32Array): number {
  return frobenius(output.map((x, at) => x - exact[at])) / frobenius(exact);
}
