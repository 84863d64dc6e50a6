import { assert, assertLessOrEqual } from "@std/assert";
import { makeProblem, type Problem } from "../../../../estimators/core/problem.ts";
import type { Method } from "../../../../estimators/methods/method.ts";
import type { Backend } from "../../../../kernels/backend.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { inputFamily } from "../../../../proofs_checks/inputs/families.ts";
import { normals } from "../../../data.ts";

/** A problem of an input family. */
export function familyProblem(
  family: string,
  options: { n: number; queries?: number; seed?: number },
): Problem {
  const { query, key, value, scale } = inputFamily(family).generate({ seed: 5, ...options });
  return makeProblem(query, key, value, { scale });
}

/** Normal deviates times a size, and a rule for keys and values: the shapes and numbers that break methods, by name. */
export function hardProblems(): [string, Problem][] {
  const problem = (
    { queries = 70, keys = 90, d = 3, dV = 2, size = 1, keySize = size, scale }: Record<string, number>,
    change: (rows: Float32Array, width: number) => Float32Array = (rows) => rows,
  ) => {
    const rows = (seed: number, count: number, width: number, factor: number) =>
      tensor(change(normals(seed, count * width, factor), width), [1, count, width]);
    return makeProblem(
      rows(1, queries, d, size),
      rows(2, keys, d, keySize),
      rows(3, keys, dV, 1),
      scale === undefined ? {} : { scale },
    );
  };
  return [
    ["logits near 10^5", problem({ size: 300 })],
    ["logits near 10^24", problem({ size: 1e12 })],
    ["logits of 10^-20", problem({ size: 1e-10 })],
    ["short queries, long keys", problem({ size: 1e-16, keySize: 1e16 })],
    ["a negative scale", problem({ scale: -3 })],
    ["scale 0", problem({ scale: 0 })],
    ["one key", problem({ keys: 1 })],
    ["one query", problem({ queries: 1 })],
    ["two keys", problem({ keys: 2 })],
    ["more queries than keys", problem({ queries: 300, keys: 41 })],
    ["more keys than queries", problem({ queries: 40, keys: 301 })],
    ["one feature", problem({ d: 1, dV: 1, size: 9 })],
    ["equal rows", problem({}, (rows, width) => rows.map((_, at) => rows[at % width]))],
    ["zeros", problem({}, (rows) => rows.fill(0))],
    [
      "each row three times",
      problem({}, (rows, width) => rows.map((_, at) => rows[at % (rows.length / 3)] + 0 * width)),
    ],
  ];
}

/**
 * Sees that a method answers hard problems with finite numbers, and within its budget if it says so; skips those that it refuses.
 *
 * @param outside By how much outputs may lie outside the range of the values, times the largest; undefined if they may by any.
 */
export async function assertTakesHardInputs(
  method: Method,
  backend: Backend,
  outside?: number,
): Promise<void> {
  let taken = 0;
  for (const [name, problem] of hardProblems()) {
    for (
      const budget of [{ bucketSize: 8, samples: 12, seed: 1 }, { bucketSize: 16, samples: 24, seed: 2 }]
    ) {
      if (method.refusal?.(problem, budget) !== undefined) continue;
      taken++;
      const { output, logSumExp, keyEvaluations } = await method.attend(backend, problem, budget);
      backend.reset();
      assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite), name);
      if (method.withinBudget) {
        const most = Math.min(problem.keys, budget.bucketSize + budget.samples);
        assertLessOrEqual(keyEvaluations, problem.queries * most, name);
      }
      if (outside === undefined) continue;
      const { value, valueFeatures: width } = problem;
      output.forEach((x, at) => {
        const column = value.filter((_, index) => index % width === at % width);
        const slack = outside * Math.max(...column.map(Math.abs));
        assert(x >= Math.min(...column) - slack && x <= Math.max(...column) + slack, `${name}: ${x}`);
      });
    }
  }
  assert(taken >= 10);
}
