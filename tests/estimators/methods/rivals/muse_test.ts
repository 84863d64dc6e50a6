import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import type { Problem } from "../../../../estimators/core/problem.ts";
import { perQuery } from "../../../../estimators/methods/method.ts";
import { attendClustered } from "../../../../estimators/methods/rivals/muse/attend_clustered.ts";
import { muse, musePublished } from "../../../../estimators/methods/rivals/muse/muse.ts";
import type { MusePlan } from "../../../../estimators/methods/rivals/muse/muse_plan.ts";
import { tiltClusters } from "../../../../estimators/methods/rivals/muse/tilted_clusters.ts";
import { clusterQueries } from "../../../../estimators/methods/tilted_tree/query_clusters.ts";
import { type Backend, EMPTY } from "../../../../kernels/backend.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { plainAttention } from "../../../../proofs_checks/measures/plain_attention.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { attendHeads, gaussianHead, roundingOf, withRows } from "./gaussian_head.ts";

const attendBy = (backend: Backend, problem: Problem, plan: MusePlan, seed = 1) =>
  attendHeads(backend, problem, (head) => attendClustered(backend, head, problem, plan, seed));

for (const dipole of [false, true]) {
  const what = dipole ? "with" : "without";

  onEachBackend(
    `MuSe ${what} dipoles is exact where each query, or each key, is a cluster of its own`,
    async (backend) => {
      for (
        const { queries, keys, spread } of [
          { queries: 30, keys: 70, spread: 2 },
          { queries: 70, keys: 30, spread: 3 },
          { queries: 1, keys: 40, spread: 1 },
          { queries: 40, keys: 1, spread: 1 },
        ]
      ) {
        const problem = gaussianHead({ queries, keys, spread }), exact = plainAttention(problem);
        for (const [queryClusters, keyClusters] of [[queries, 5], [3, keys], [1, keys], [queries, 1]]) {
          const plan = { queryClusters, keyClusters, rounds: 3, dipole };
          const { output, logSumExp } = await attendBy(backend, problem, plan);
          assertLess(largestDifference(output, exact.output), roundingOf(problem));
          assertLess(largestDifference(logSumExp, exact.logSumExp), roundingOf(problem));
        }
      }
    },
  );

  onEachBackend(`MuSe ${what} dipoles gives the reference's result`, async (backend) => {
    // Clusters that lie apart, so that rounding decides nothing.
    const [queries, keys, d] = [90, 130, 6], apart = normals(5, 8 * d, 6);
    const near = (rows: Float32Array) =>
      rows.map((x, at) => 0.3 * x + apart[Math.floor(at / d) % 8 * d + at % d]);
    const plain = gaussianHead({ queries, keys, d, scale: 0.1 });
    const problem = withRows(plain, { query: near(plain.query), key: near(plain.key) });
    for (const [queryClusters, keyClusters] of [[8, 8], [1, 8], [8, 1]]) {
      const plan = { queryClusters, keyClusters, rounds: 6, sampled: 80, dipole };
      const actual = await attendBy(backend, problem, plan);
      const expected = await attendBy(new ReferenceBackend(), problem, plan);
      assertLess(largestDifference(actual.output, expected.output), 1e-4);
      assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-4);
      assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    }
  });

  onEachBackend(`MuSe ${what} dipoles has no overflow and no NaN`, async (backend) => {
    const plan = { queryClusters: 4, keyClusters: 6, rounds: 4, dipole };
    for (const spread of [0, 1e-10, 30, 1e3, 1e8]) {
      const problem = gaussianHead({ queries: 30, keys: 50, spread, scale: 1 });
      const { output, logSumExp } = await attendBy(backend, problem, plan);
      assert(output.every(Number.isFinite) && logSumExp.every(Number.isFinite), `${spread}`);
      // Means of values lie between these; dipoles reach beyond.
      if (!dipole) assert(output.every((x) => Math.abs(x) <= problem.largestValue));
      if (spread > 0) continue;
      const exact = plainAttention(problem);
      assertLess(largestDifference(output, exact.output), 1e-5);
      assertLess(largestDifference(logSumExp, exact.logSumExp), 1e-5);
    }
  });
}

onEachBackend(
  "tiltClusters() gives the masses and means of the definition, of long clusters and empty ones as well",
  async (backend) => {
    const [keys, features, valueFeatures, scale, count] = [160, 5, 3, 0.7, 4];
    const key = normals(1, keys * features, 2),
      value = normals(2, keys * valueFeatures),
      centres = normals(3, count * features);
    // One cluster of 120 keys, one of none.
    const labels = Uint32Array.from({ length: keys }, (_, j) => j % 4 > 0 ? 2 : [0, 1, 4, 5][j / 4 % 4]);
    const clusters = { ...clusterQueries(key, labels, 1, 6), labels };
    const tilted = await tiltClusters(
      backend,
      { key, value, features, valueFeatures, scale },
      centres,
      clusters,
    );
    for (let i = 0; i < count; i++) {
      for (let s = 0; s < 6; s++) {
        let mass = 0;
        const meanKey = new Float64Array(features), meanValue = new Float64Array(valueFeatures);
        for (let j = 0; j < keys; j++) {
          if (labels[j] !== s) continue;
          let product = 0;
          for (let c = 0; c < features; c++) product += centres[i * features + c] * key[j * features + c];
          const weight = Math.exp(scale * product);
          mass += weight;
          for (let c = 0; c < features; c++) meanKey[c] += weight * key[j * features + c];
          for (let c = 0; c < valueFeatures; c++) meanValue[c] += weight * value[j * valueFeatures + c];
        }
        const at = i * 6 + s;
        if (s === 3) {
          assertEquals(tilted.logMass[at], EMPTY);
          continue;
        }
        assertAlmostEquals(tilted.logMass[at], Math.log(mass), 1e-5);
        const own = (rows: Float32Array, width: number) => rows.subarray(at * width, (at + 1) * width);
        assertLess(largestDifference(own(tilted.key, features), meanKey.map((x) => x / mass)), 1e-5);
        assertLess(largestDifference(own(tilted.value, valueFeatures), meanValue.map((x) => x / mass)), 1e-5);
      }
    }
  },
);

Deno.test("dipoles make the error of MuSe fall with the square of the width of query clusters", async () => {
  const { key, value, ...head } = gaussianHead({ queries: 40, keys: 60, spread: 1.5 });
  const centre = normals(8, 6), offset = normals(9, 40 * 6);
  const errorAt = async (width: number, dipole: boolean) => {
    // Half of the offsets are the others' opposites: the mean of the cluster is its centre.
    const query = Float32Array.from(
      { length: 40 * 6 },
      (_, at) => centre[at % 6] + width * (at < 120 ? offset[at] : -offset[at - 120]),
    );
    const problem = withRows({ ...head, query, key, value }, {});
    const plan = { queryClusters: 1, keyClusters: 4, rounds: 10, dipole };
    const { output } = await attendBy(new ReferenceBackend(), problem, plan);
    return relativeError(output, plainAttention(problem).output);
  };
  const ratio = async (dipole: boolean) => await errorAt(0.08, dipole) / await errorAt(0.02, dipole);
  const [plain, withDipoles] = [await ratio(false), await ratio(true)];
  assert(plain > 3.5 && plain < 5, `${plain}`);
  assert(withDipoles > 13 && withDipoles < 19, `${withDipoles}`);
});

Deno.test("muse keeps to its budget and uses it, with preparation", async () => {
  const backend = new ReferenceBackend();
  for (
    const [queries, keys, budget] of [[300, 300, 24], [300, 300, 60], [150, 420, 40], [420, 150, 30], [
      37,
      90,
      20,
    ]]
  ) {
    const problem = gaussianHead({ queries, keys }), own = { bucketSize: 8, samples: budget - 8, seed: 0 };
    const { keyEvaluations, exact } = await muse.attend(backend, problem, own);
    backend.reset();
    assertEquals(exact, false);
    assertLessOrEqual(keyEvaluations, budget * queries);
    assertGreater(keyEvaluations, 0.8 * budget * queries);
  }
});

Deno.test("muse names the least budget that it takes, and keeps to that", async () => {
  const problem = gaussianHead({ queries: 20, keys: 100 });
  const least = Number(
    /at least (\d+) key/.exec(muse.refusal!(problem, { bucketSize: 1, samples: 1, seed: 0 })!)![1],
  );
  const budget = { bucketSize: least, samples: 0, seed: 0 };
  assert(muse.refusal!(problem, { ...budget, bucketSize: least - 1 }) !== undefined);
  assertEquals(muse.refusal!(problem, budget), undefined);
  const { keyEvaluations } = await muse.attend(new ReferenceBackend(), problem, budget);
  assertLessOrEqual(keyEvaluations, perQuery(budget) * 20);
});

Deno.test("muse-published spends its budget on answers and prepares beyond it", async () => {
  const problem = gaussianHead({ queries: 200, keys: 200 }),
    budget = { bucketSize: 10, samples: 20, seed: 0 };
  const { keyEvaluations } = await musePublished.attend(new ReferenceBackend(), problem, budget);
  // 20 key clusters and 10 query clusters by ten rounds and a last pass.
  assertGreater(keyEvaluations, 200 * 30 * (1 + 11));
});

onEachBackend("muse takes hard inputs", (backend) => assertTakesHardInputs(muse, backend, 1e-6));

onEachBackend("muse-published takes hard inputs", (backend) => assertTakesHardInputs(musePublished, backend));
