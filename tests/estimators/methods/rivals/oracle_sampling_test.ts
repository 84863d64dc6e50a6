import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Problem } from "../../../../estimators/core/problem.ts";
import { attendSampled } from "../../../../estimators/methods/rivals/oracle_sampling/attend_sampled.ts";
import { oracleSampling } from "../../../../estimators/methods/rivals/oracle_sampling/oracle_sampling.ts";
import { prioritySample } from "../../../../estimators/methods/rivals/oracle_sampling/priority_sample.ts";
import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { plainAttention } from "../../../../proofs_checks/measures/plain_attention.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { attendHeads, gaussianHead, roundingOf, withRows } from "./gaussian_head.ts";
import { meanOverSeeds } from "./mean_over_seeds.ts";

const attendBy = (backend: Backend, problem: Problem, most: number, exactDenominator = false, seed = 1) =>
  attendHeads(
    backend,
    problem,
    (head) => attendSampled(backend, head, problem, { most, exactDenominator }, seed),
  );

const randomOf = (seed: number) => new RandomStream(seed, Purpose.choice);

/** Logits with a spread, their weights in units of all, and values. */
function weighted(keys: number, spread: number) {
  const logits = Float64Array.from(normals(4, keys, spread)), value = normals(5, keys);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return { logits, value, weights: logits.map((logit) => Math.exp(logit) / total), total };
}

for (const spread of [0.5, 1.5, 3]) {
  Deno.test(`a priority sample counts each key and every sum with its weight in the mean, spread ${spread}`, () => {
    const { logits, value, weights, total } = weighted(60, spread), seeds = 4000;
    const samples = Array.from({ length: seeds }, (_, seed) => prioritySample(logits, 12, randomOf(seed)));
    const sumOf = (of: (key: number) => number) => (seed: number) => {
      const { count, index, logits, logWeights } = samples[seed];
      let sum = 0;
      for (let at = 0; at < count; at++) {
        sum += of(index[at]) * Math.exp(logits[at] + logWeights![at]) / total;
      }
      return sum;
    };
    const check = (of: (key: number) => number, expected: number) => {
      const { standardErrors } = meanOverSeeds(seeds, sumOf(of), expected);
      assertLess(Math.abs(standardErrors), 4);
    };
    check(() => 1, 1);
    check((key) => value[key], weights.reduce((sum, weight, key) => sum + weight * value[key], 0));
    // Half of the keys, and one of the middling ones.
    check((key) => key % 2, weights.reduce((sum, weight, key) => sum + weight * (key % 2), 0));
    const middling = [...weights.keys()].sort((a, b) => weights[a] - weights[b])[35];
    check((key) => key === middling ? 1 : 0, weights[middling]);
  });
}

Deno.test("a priority sample keeps so many distinct keys, heavy ones at their weight and light ones at one threshold", () => {
  const { logits } = weighted(60, 2);
  for (let seed = 0; seed < 50; seed++) {
    const { count, index, logits: kept, logWeights } = prioritySample(logits, 10, randomOf(seed));
    assertEquals([count, new Set(Array.from(index)).size], [10, 10]);
    const counted = Array.from(kept, (logit, at) => logit + logWeights![at]),
      threshold = Math.min(...counted);
    for (let at = 0; at < 10; at++) {
      assertEquals(kept[at], logits[index[at]]);
      assertLess(Math.abs(counted[at] - Math.max(kept[at], threshold)), 1e-12);
    }
    // What weighs far more than the rest together is kept by every draw.
    const heavy = logits.slice();
    heavy[17] = 40;
    assert(Array.from(prioritySample(heavy, 3, randomOf(seed)).index).includes(17));
  }
});

Deno.test("with the exact denominator outputs are unbiased, and with their own they err less", async () => {
  const head = gaussianHead({ queries: 6, keys: 50, spread: 1.4, d: 4, dV: 2 });
  // Values with something in common, which own weights answer as it is.
  const problem = withRows(head, { value: head.value.map((x) => x + 1) });
  const exact = plainAttention(problem).output, seeds = 1200, outputs: Float32Array[] = [];
  let ofOwn = 0, ofExact = 0;
  for (let seed = 0; seed < seeds; seed++) {
    outputs.push((await attendBy(new ReferenceBackend(), problem, 8, true, seed)).output);
    if (seed >= 100) continue;
    ofExact += relativeError(outputs[seed], exact);
    ofOwn += relativeError((await attendBy(new ReferenceBackend(), problem, 8, false, seed)).output, exact);
  }
  exact.forEach((x, at) => {
    assertLess(Math.abs(meanOverSeeds(seeds, (seed) => outputs[seed][at], x).standardErrors), 4.5);
  });
  assertLess(ofOwn, 0.9 * ofExact);
});

onEachBackend(
  "oracle-sampling gives the reference's result, and is exact where all keys are kept",
  async (backend) => {
    for (
      const { queries, keys, spread } of [{ queries: 40, keys: 70, spread: 1.5 }, {
        queries: 1,
        keys: 30,
        spread: 3,
      }]
    ) {
      const problem = gaussianHead({ queries, keys, spread }), exact = plainAttention(problem);
      for (const exactDenominator of [false, true]) {
        const actual = await attendBy(backend, problem, 9, exactDenominator);
        const expected = await attendBy(new ReferenceBackend(), problem, 9, exactDenominator);
        assertLess(largestDifference(actual.output, expected.output), 10 * roundingOf(problem));
        assertLess(largestDifference(actual.logSumExp, expected.logSumExp), roundingOf(problem));
        assertEquals(actual.keyEvaluations, queries * keys);
        const all = await attendBy(backend, problem, keys, exactDenominator);
        assertLess(largestDifference(all.output, exact.output), roundingOf(problem));
        assertLess(largestDifference(all.logSumExp, exact.logSumExp), roundingOf(problem));
      }
    }
  },
);

onEachBackend("oracle-sampling has no overflow and no NaN", async (backend) => {
  for (const spread of [0, 1e-10, 30, 1e3, 1e8]) {
    const problem = gaussianHead({ queries: 20, keys: 40, spread, scale: 1 });
    const { output, logSumExp } = await attendBy(backend, problem, 5);
    assert(output.every((x) => Math.abs(x) <= problem.largestValue), `${spread}`);
    assert(logSumExp.every(Number.isFinite));
    assert((await attendBy(backend, problem, 5, true)).output.every(Number.isFinite));
  }
});

Deno.test("oracle-sampling errs less with more keys", async () => {
  const problem = gaussianHead({ queries: 100, keys: 200, spread: 1.5 }),
    exact = plainAttention(problem).output;
  const errorAt = async (most: number) => {
    const budget = { bucketSize: most, samples: 0, seed: 1 };
    return relativeError(
      (await oracleSampling.attend(new ReferenceBackend(), problem, budget)).output,
      exact,
    );
  };
  assertGreater(await errorAt(10), 1.7 * await errorAt(40));
});

onEachBackend(
  "oracle-sampling takes hard inputs",
  (backend) => assertTakesHardInputs(oracleSampling, backend, 1e-6),
);
