import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { approximateNames } from "../../method_names.ts";
import { approximateMethods, methods } from "../../../estimators/methods/methods.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";

const budget = { bucketSize: 8, samples: 12, seed: 3 };

function problemOf(
  { queries, keys, d = 5, dV = 3, heads = 2 }: Record<string, number>,
  options: Parameters<typeof makeProblem>[3] = {},
): Problem {
  const rows = (seed: number, count: number, width: number) =>
    tensor(normals(seed, heads * count * width), [heads, count, width]);
  return makeProblem(rows(1, queries, d), rows(2, keys, d), rows(3, keys, dV), options);
}

for (const name of approximateNames) {
  const { attend, random, summary, source, refusal } = approximateMethods[name];

  Deno.test(`${name} refuses a problem that hides keys, in place of attending to them`, async () => {
    const mask = Array.from({ length: 40 }, (_, j) => j % 3 > 0);
    for (
      const options of [{ causal: true }, { keyMask: mask }, {
        causal: true,
        keyMask: [true, ...mask.slice(1)],
      }]
    ) {
      const problem = problemOf({ queries: 40, keys: 40 }, options);
      await assertRejects(
        () => attend(new ReferenceBackend(), problem, budget),
        RangeError,
        `Cannot run ${name}: every key must be visible`,
      );
    }
  });

  onEachBackend(`${name} takes every shape, and the same seed gives the same bits`, async (backend) => {
    for (
      const [queries, keys, d, dV] of [[1, 1, 1, 1], [1, 60, 3, 2], [60, 1, 2, 5], [37, 90, 7, 4], [
        90,
        37,
        4,
        1,
      ]]
    ) {
      const problem = problemOf({ queries, keys, d, dV });
      if (refusal?.(problem, budget) !== undefined) continue;
      const outputs: Float32Array[] = [];
      for (let repeat = 0; repeat < 2; repeat++) {
        const { output, logSumExp, keyEvaluations } = await attend(backend, problem, budget);
        backend.reset();
        assertEquals([output.length, logSumExp.length], [2 * queries * dV, 2 * queries]);
        assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite), `${queries} × ${keys}`);
        assert(Number.isInteger(keyEvaluations) && keyEvaluations > 0);
        outputs.push(output);
      }
      assertEquals(outputs[0], outputs[1]);
    }
  });

  onEachBackend(
    `${name} gives another result for another seed if and only if it says so`,
    async (backend) => {
      const problem = problemOf({ queries: 300, keys: 300 }), outputs: Float32Array[] = [];
      let exactly = false;
      for (const seed of [1, 2]) {
        const { output, exact } = await attend(backend, problem, { ...budget, seed });
        outputs.push(output);
        exactly ||= exact === true;
        backend.reset();
      }
      // A method that finds exact attention to cost no more has nothing to draw.
      assertEquals(outputs[0].some((x, at) => x !== outputs[1][at]), random && !exactly);
    },
  );

  Deno.test(`${name} has a summary of one line and a source`, () => {
    assert(/^\S[^\n]{10,}[^.\s]$/.test(summary) && source.length > 10);
  });
}

Deno.test("methods lists auto, exact and each of the registry, once", () => {
  assertEquals(methods.length, new Set(methods).size);
  assertEquals([...methods].sort(), ["auto", "exact", ...approximateNames].sort());
});
