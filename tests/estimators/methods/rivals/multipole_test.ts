import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import type { Problem } from "../../../../estimators/core/problem.ts";
import {
  attendMultipole,
  type MultipoleOptions,
} from "../../../../estimators/methods/rivals/multipole/attend_multipole.ts";
import { multipole, multipolePublished } from "../../../../estimators/methods/rivals/multipole/multipole.ts";
import { openClusters } from "../../../../estimators/methods/rivals/multipole/open_clusters.ts";
import type { Backend } from "../../../../kernels/backend.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { plainAttention } from "../../../../proofs_checks/measures/plain_attention.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { attendHeads, gaussianHead, roundingOf, withRows } from "./gaussian_head.ts";

const usual: MultipoleOptions = {
  ...{ clusters: 8, rounds: 6, tokens: 20, rankBy: "key", stopsAtFirst: false, replaced: true },
};

const attendBy = (backend: Backend, problem: Problem, options: Partial<MultipoleOptions>, seed = 1) =>
  attendHeads(
    backend,
    problem,
    (head) => attendMultipole(backend, head, problem, { ...usual, ...options }, seed),
  );

onEachBackend(
  "multipole is exact where queries may see every key, or each key is a cluster",
  async (backend) => {
    for (
      const { queries, keys, spread } of [
        { queries: 30, keys: 70, spread: 2 },
        { queries: 1, keys: 40, spread: 1 },
        { queries: 20, keys: 1, spread: 1 },
      ]
    ) {
      const problem = gaussianHead({ queries, keys, spread }), exact = plainAttention(problem);
      for (
        const options of [
          { tokens: keys },
          { tokens: keys, replaced: false, stopsAtFirst: true },
          { clusters: keys, tokens: 0 },
          { clusters: keys, tokens: 7, rankBy: "mass" },
        ] as const
      ) {
        const { output, logSumExp } = await attendBy(backend, problem, options);
        assertLess(largestDifference(output, exact.output), roundingOf(problem));
        assertLess(largestDifference(logSumExp, exact.logSumExp), roundingOf(problem));
      }
    }
  },
);

onEachBackend("multipole gives the reference's result, and counts what it opens", async (backend) => {
  // Keys in clusters that lie apart, so that rounding decides nothing.
  const [queries, keys, d] = [70, 130, 6], apart = normals(5, 8 * d, 6);
  const plain = gaussianHead({ queries, keys, d, scale: 0.1 });
  const key = plain.key.map((x, at) => 0.3 * x + apart[Math.floor(at / d) % 8 * d + at % d]);
  const problem = withRows(plain, { key });
  for (
    const options of [{}, { sampled: 60 }, { rankBy: "mass", replaced: false }, {
      tokens: 40,
      stopsAtFirst: true,
    }] as const
  ) {
    const actual = await attendBy(backend, problem, options);
    const expected = await attendBy(new ReferenceBackend(), problem, options);
    assertLess(largestDifference(actual.output, expected.output), 1e-4);
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-4);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    const { sampled = keys, tokens = usual.tokens } = options as Partial<MultipoleOptions>;
    const found = 8 * (6 * sampled + keys) + 8 * queries;
    assertGreater(actual.keyEvaluations, found);
    assertLessOrEqual(actual.keyEvaluations, found + tokens * queries);
  }
});

onEachBackend(
  "multipole has no overflow and no NaN, and its outputs are means of values",
  async (backend) => {
    for (const spread of [0, 1e-10, 30, 1e3, 1e8]) {
      const problem = gaussianHead({ queries: 30, keys: 50, spread, scale: 1 });
      for (const options of [{}, { replaced: false }, { tokens: 0 }]) {
        const { output, logSumExp } = await attendBy(backend, problem, options);
        assert(output.every((x) => Math.abs(x) <= problem.largestValue * (1 + 1e-6)), `${spread}`);
        assert(logSumExp.every(Number.isFinite));
        // Equal keys are one cluster, whose mean is exact.
        if (spread > 0) continue;
        assertLess(largestDifference(output, plainAttention(problem).output), 1e-6);
      }
    }
  },
);

Deno.test("openClusters() opens the heaviest clusters that fit, and the public code none after the first that does not", () => {
  const logits = [3, 5, 4, 1, 2], sizes = Uint32Array.of(4, 30, 5, 0, 6);
  const open = (options: Partial<MultipoleOptions>) => openClusters(logits, sizes, { ...usual, ...options });
  assertEquals(open({ tokens: 60 }), [1, 2, 0, 4]);
  assertEquals(open({ tokens: 20 }), [2, 0, 4]);
  assertEquals(open({ tokens: 10 }), [2, 0]);
  assertEquals(open({ tokens: 20, stopsAtFirst: true }), []);
  assertEquals(open({ tokens: 36, stopsAtFirst: true }), [1, 2]);
  assertEquals(open({ tokens: 3 }), []);
  // Their masses are e^3 · 4, e^4 · 5 and e^2 · 40.
  assertEquals(openClusters([3, 4, 2], Uint32Array.of(4, 5, 40), { ...usual, tokens: 44, rankBy: "mass" }), [
    2,
    0,
  ]);
});

Deno.test("multipole errs less with more keys, and far more without the means of the other clusters", async () => {
  const errorOf = async (spread: number, options: Partial<MultipoleOptions>) => {
    const problem = gaussianHead({ queries: 120, keys: 240, spread }), exact = plainAttention(problem).output;
    const { output } = await attendBy(new ReferenceBackend(), problem, { clusters: 16, ...options });
    return relativeError(output, exact);
  };
  const [none, some, most] = [
    await errorOf(1.6, { tokens: 0 }),
    await errorOf(1.6, { tokens: 60 }),
    await errorOf(1.6, { tokens: 180 }),
  ];
  assertGreater(none, 1.2 * some);
  assertGreater(some, 1.5 * most);
  // Where weights are even, what is left out is most of the mass.
  assertGreater(await errorOf(0.7, { tokens: 60, replaced: false }), 2 * await errorOf(0.7, { tokens: 60 }));
});

Deno.test("multipole weighs the mean of a cluster as often as it has keys", async () => {
  const problem = gaussianHead({ queries: 5, keys: 33 });
  const { output, logSumExp } = await attendBy(new ReferenceBackend(), problem, { clusters: 1, tokens: 0 });
  for (let row = 0; row < 5; row++) {
    let logit = 0;
    for (let at = 0; at < problem.key.length; at++) {
      logit += problem.scale * problem.query[row * 6 + at % 6] * problem.key[at] / 33;
    }
    assertAlmostEquals(logSumExp[row], logit + Math.log(33), 1e-5);
    for (let c = 0; c < 4; c++) {
      const mean = problem.value.filter((_, at) => at % 4 === c).reduce((a, b) => a + b) / 33;
      assertAlmostEquals(output[row * 4 + c], mean, 1e-6);
    }
  }
});

Deno.test("multipole keeps to its budget, names the least, and keeps to that", async () => {
  for (
    const [queries, keys, budget] of [[300, 300, 24], [300, 300, 90], [150, 420, 40], [420, 150, 30], [
      37,
      90,
      20,
    ], [20, 200, 0]]
  ) {
    const problem = gaussianHead({ queries, keys });
    const refused = multipole.refusal!(problem, { bucketSize: budget, samples: 0, seed: 0 });
    assertEquals(refused !== undefined, budget === 0);
    const least = refused ? Number(/at least (\d+) key/.exec(refused)![1]) : budget;
    const own = { bucketSize: least, samples: 0, seed: 0 };
    assertEquals(multipole.refusal!(problem, own), undefined);
    const { keyEvaluations } = await multipole.attend(new ReferenceBackend(), problem, own);
    assertLessOrEqual(keyEvaluations, least * queries);
    assertGreater(keyEvaluations, 0.3 * least * queries);
  }
});

Deno.test("multipole-published spends its budget on answers and prepares beyond it", async () => {
  const problem = gaussianHead({ queries: 200, keys: 200 }),
    budget = { bucketSize: 10, samples: 20, seed: 0 };
  const { keyEvaluations } = await multipolePublished.attend(new ReferenceBackend(), problem, budget);
  // Twenty clusters by ten rounds and a last pass, seen by each query.
  assertGreater(keyEvaluations, 200 * 20 * (11 + 1));
  assertLessOrEqual(keyEvaluations, 200 * (20 * (11 + 1) + 10));
});

onEachBackend("multipole takes hard inputs", (backend) => assertTakesHardInputs(multipole, backend, 1e-6));

onEachBackend(
  "multipole-published takes hard inputs",
  (backend) => assertTakesHardInputs(multipolePublished, backend, 1e-6),
);
