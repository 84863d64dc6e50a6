import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../../estimators/core/exact.ts";
import {
  compressKeys,
  type Thinning,
} from "../../../../estimators/methods/rivals/thinformer/compress_keys.ts";
import { halveBucket } from "../../../../estimators/methods/rivals/thinformer/halve_bucket.ts";
import { PairKernel, thinnedRows } from "../../../../estimators/methods/rivals/thinformer/pair_kernel.ts";
import {
  planThinning,
  publishedThinning,
  stridedKeys,
} from "../../../../estimators/methods/rivals/thinformer/plan_thinning.ts";
import { attendThinned, thinformer } from "../../../../estimators/methods/rivals/thinformer/thinformer.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, largestMagnitude } from "../../../precision.ts";
import { assertTakesHardInputs, familyProblem } from "./hard_inputs.ts";

const features = 4, valueFeatures = 3;

const rowsOf = (keys: number) =>
  thinnedRows(normals(1, keys * features), normals(2, keys * valueFeatures), {
    ...{ features, valueFeatures, scale: 0.5 },
  });

const thin = (keys: number, thinning: Thinning, seed: number) =>
  compressKeys(
    rowsOf(keys),
    Uint32Array.from({ length: keys }, (_, j) => j),
    thinning,
    new RandomStream(seed, Purpose.coreset),
  );

Deno.test("Thinformer keeps 2^g √n of n keys, a power of four, and about as many of others", () => {
  for (const [keys, g] of [[64, 0], [256, 1], [1024, 0], [1024, 3], [256, 4]]) {
    const { kept } = thin(keys, publishedThinning(keys, g), 1);
    assertEquals(kept.length, Math.min(keys, 2 ** g * Math.sqrt(keys)), `${keys}, g = ${g}`);
    assertEquals(new Set(kept).size, kept.length);
  }
  for (const [keys, g] of [[65, 0], [300, 1], [1023, 1], [999, 0]]) {
    const thinning = publishedThinning(keys, g), whole = keys / 2 ** thinning.rounds;
    assertLessOrEqual(whole, 2 ** g * Math.sqrt(keys));
    for (let seed = 0; seed < 5; seed++) {
      const { length } = thin(keys, thinning, seed).kept;
      assert(length >= Math.floor(whole) && length <= Math.ceil(whole), `${length} of ${keys}`);
    }
  }
});

Deno.test("each key that Thinformer sees has weight 1 in the mean over seeds, whatever their number", () => {
  const seeds = 800;
  for (const [keys, rounds, bucket] of [[64, 3, 4], [75, 3, 8], [37, 2, 16], [51, 2, 2]]) {
    const times = new Float64Array(keys);
    for (let seed = 0; seed < seeds; seed++) {
      for (const row of thin(keys, { rounds, bucket, delta: 0.5 }, seed).kept) times[row]++;
    }
    const odds = 2 ** -rounds, deviation = Math.sqrt(seeds * odds * (1 - odds));
    // Five deviations: one key in a million is further off.
    for (const count of times) assertLess(Math.abs(count - seeds * odds), 5 * deviation, `${keys} keys`);
  }
});

Deno.test("a stride to a power of four leaves keys unseen, and only a stride does", async () => {
  for (const [keys, last] of [[1023, 765], [2047, 1023], [2048, 2046], [4096, 4095]]) {
    assertEquals(Math.max(...stridedKeys(keys)), last);
  }
  // All the mass is at the last key.
  const problem = familyProblem("gaussian", { n: 127 }), { keys } = problem;
  const key = problem.key.map((x, at) => at < (keys - 1) * problem.features ? 0 : x);
  const query = problem.query.map((_, at) => 40 * key[(keys - 1) * problem.features + at % problem.features]);
  const sharp = { ...problem, key, query }, backend = new ReferenceBackend();
  const exact = await exactAttention(backend, sharp);
  const answers = async (strided: boolean) => {
    let right = 0;
    for (let seed = 0; seed < 12; seed++) {
      const budget = { bucketSize: 1, samples: 0, seed }, thinning = { rounds: 1, bucket: 4, delta: 0.5 };
      const { output } = await attendThinned(backend, sharp, budget, thinning, { strided });
      right += Number(largestDifference(output, exact.output) < 1e-3);
    }
    return right;
  };
  assertEquals(await answers(true), 0);
  const seen = await answers(false);
  assert(seen > 0 && seen < 12, `${seen} of 12`);
});

Deno.test("halving balances the kernel sums of both halves, far better than coins do", () => {
  const count = 800, width = 2, shape = { features: width, valueFeatures: width, scale: 0.1 };
  const rows = thinnedRows(normals(1, count * width), normals(2, count * width), shape);
  const kernel = new PairKernel(rows, Uint32Array.from({ length: count }, (_, row) => row));
  // The squared norm of Σ ± k(·, row), + for those that are kept.
  const imbalance = (kept: Uint32Array) => {
    const signs = new Float64Array(count).fill(-1);
    for (const place of kept) signs[place] = 1;
    let sum = 0;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) sum += signs[a] * signs[b] * kernel.of(a, b);
    }
    return sum;
  };
  let halved = 0, tossed = 0;
  for (let seed = 0; seed < 4; seed++) {
    const random = new RandomStream(seed, Purpose.coreset);
    halved += imbalance(halveBucket(count, () => kernel, 3, random));
    tossed += imbalance(Uint32Array.from({ length: count / 2 }, (_, pair) => 2 * pair + random.integer(2)));
  }
  assertLess(halved, 0.3 * tossed);
});

onEachBackend("Thinformer gives the reference's result", async (backend) => {
  for (const [n, queries] of [[700, 700], [513, 900], [900, 120]]) {
    const problem = familyProblem("clustered", { n, queries }),
      budget = { bucketSize: 24, samples: 40, seed: 3 };
    const actual = await thinformer.attend(backend, problem, budget);
    backend.reset();
    const expected = await thinformer.attend(new ReferenceBackend(), problem, budget);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    assertLess(largestDifference(actual.output, expected.output), 1e-4 * largestMagnitude(problem.value));
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-3);
  }
});

onEachBackend("Thinformer takes hard inputs", (backend) => assertTakesHardInputs(thinformer, backend, 1e-5));

Deno.test("Thinformer's plan keeps no more keys than there are evaluations for each query", () => {
  for (const queries of [1, 40, 700, 5000]) {
    for (const keys of [30, 700, 4096, 50_000]) {
      for (const each of [3, 20, 96, 384]) {
        if (each >= keys) continue;
        const { rounds, bucket } = planThinning(queries, keys, queries * each);
        assert(bucket % 2 === 0 && bucket >= 2);
        assertLessOrEqual(Math.ceil(keys / 2 ** rounds), each);
        if (bucket > 2) assertLess(keys / 2 ** rounds, each);
      }
    }
  }
  assertEquals(planThinning(4096, 4096, 4096 * 96).rounds, 6);
});
