import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { assert, assertEquals, assertLess } from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { withoutHiddenKeys } from "../../../estimators/core/hidden_keys.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { countVisible } from "../../../estimators/core/visible_pairs.ts";
import { attendVisible } from "../../../estimators/methods/visible.ts";
import { attentionPartial, tensor } from "../../../mod.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { largestDifference } from "../../precision.ts";

type IsVisible = (head: number, key: number) => boolean;

function problemOf(
  heads: number,
  queries: number,
  keys: number,
  isVisible: IsVisible,
  causal = false,
): Problem {
  const [q, k, v] = [[queries, 6], [keys, 6], [keys, 3]].map(([rows, width], at) =>
    tensor(normals(at + 1, heads * rows * width), [heads, rows, width])
  );
  const keyMask = Array.from(
    { length: heads * keys },
    (_, at) => isVisible(Math.floor(at / keys), at % keys),
  );
  return makeProblem(q, k, v, { keyMask, causal });
}

/** Plain float64 loops, and how many pairs they saw. */
function plainly(problem: Problem): { output: Float64Array; pairs: number } {
  const { heads, queries, keys, features, valueFeatures, scale, causalOffset = keys, logWeights } = problem;
  const output = new Float64Array(heads * queries * valueFeatures);
  let pairs = 0;
  for (let row = 0; row < heads * queries; row++) {
    const first = Math.floor(row / queries) * keys, weights = new Float64Array(keys);
    for (let j = 0; j < keys; j++) {
      if (j > row % queries + causalOffset || logWeights![first + j] < 0) continue;
      let logit = 0;
      for (let c = 0; c < features; c++) {
        logit += problem.query[row * features + c] * problem.key[(first + j) * features + c];
      }
      weights[j] = Math.exp(scale * logit);
      pairs++;
    }
    const total = weights.reduce((a, b) => a + b);
    for (let j = 0; j < keys; j++) {
      for (let c = 0; c < valueFeatures; c++) {
        output[row * valueFeatures + c] += weights[j] / total *
          problem.value[(first + j) * valueFeatures + c];
      }
    }
  }
  return { output, pairs };
}

onEachBackend("exact attention without hidden keys is that with them hidden", async (backend) => {
  const cases: [string, Problem, boolean][] = [
    ["padding of many lengths", problemOf(5, 9, 80, (head, j) => j < 10 * head + 7), true],
    ["every third key", problemOf(2, 9, 80, (_, j) => j % 3 === 1), true],
    ["few hidden keys", problemOf(2, 9, 80, (head, j) => j !== 5 + head), false],
    [
      "padding on both sides under causal order",
      problemOf(2, 30, 90, (_, j) => j > 40 && j < 70, true),
      true,
    ],
    ["causal order and few keys", problemOf(2, 600, 1300, (head, j) => j % 11 === head, true), false],
  ];
  for (const [what, problem, isCut] of cases) {
    const right = plainly(problem);
    for (
      const { output } of [await exactAttention(backend, problem), await attendVisible(backend, problem)]
    ) {
      assertLess(largestDifference(output, right.output), 2e-6, what);
      backend.reset();
    }
    assertEquals(countVisible(problem), right.pairs, what);
    assertEquals(withoutHiddenKeys(problem) !== undefined, isCut, what);
  }
});

Deno.test("exact attention under causal order looks at few of the keys that a mask hides", async () => {
  const problem = problemOf(1, 700, 1900, (_, j) => j % 16 === 0, true), looked: number[] = [];
  const backend = new ReferenceBackend(), { attend } = backend;
  Object.assign(backend, {
    attend: (args: Parameters<typeof attend>[0]) => {
      looked.push(args.heads * args.queries * args.keys);
      return attend(args);
    },
  });
  await attendVisible(backend, problem);
  assertLess(looked.reduce((a, b) => a + b), 0.4 * 700 * 1900);
});

Deno.test("hidden keys go, heads of like length stay together, and weights of visible keys are kept", () => {
  const lengths = [60, 64, 62, 9, 10, 2];
  const problem = problemOf(6, 2, 100, (head, j) => j < lengths[head]);
  const parts = withoutHiddenKeys(problem)!;
  assertEquals(parts.map(({ heads, keys }) => [heads, keys]), [[3, 64], [2, 10], [1, 2]]);
  const weighted = problem.logWeights!.map((w, at) => w === 0 ? -0.01 * (at % 7) : w);
  const [, , last] = withoutHiddenKeys({ ...problem, logWeights: weighted })!;
  assertEquals(last.logWeights, weighted.slice(500, 502));
  assertEquals(parts[2].logWeights, undefined);
  assert(withoutHiddenKeys({ ...problem, logWeights: undefined }) === undefined);
});

onEachDevice("a shard of which a head sees nothing stays empty", async (device) => {
  const [q, k, v] = [1, 2, 3].map((seed) => tensor(normals(seed, 2 * 40 * 4), [2, 40, 4]));
  const keyMask = Array.from({ length: 80 }, (_, at) => at >= 40 && at < 45);
  const { output, logSumExp } = await attentionPartial(q, k, v, { keyMask, device });
  assertEquals(output.data.subarray(0, 160), new Float32Array(160));
  assertEquals(logSumExp.data.subarray(0, 40), new Float32Array(40).fill(-Infinity));
  assert(logSumExp.data.subarray(40).every(Number.isFinite));
  const none = await attentionPartial(q, k, v, { keyMask: new Uint8Array(80), causalOffset: 0, device });
  assert(none.logSumExp.data.every((sum) => sum === -Infinity));
});
