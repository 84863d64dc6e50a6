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
  attendVerified,
  epsilonFor,
  type VAttentionOptions,
} from "../../../../estimators/methods/rivals/vattention/attend_verified.ts";
import { normalQuantile } from "../../../../estimators/methods/rivals/vattention/normal_quantile.ts";
import { openAsPublic } from "../../../../estimators/methods/rivals/vattention/open_as_public.ts";
import { openQuery } from "../../../../estimators/methods/rivals/vattention/open_query.ts";
import type { FirstStage, OpenQuery } from "../../../../estimators/methods/rivals/vattention/opened_query.ts";
import { vAttention } from "../../../../estimators/methods/rivals/vattention/vattention.ts";
import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { plainAttention } from "../../../../proofs_checks/measures/plain_attention.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { attendHeads, gaussianHead, roundingOf } from "./gaussian_head.ts";
import { meanOverSeeds } from "./mean_over_seeds.ts";

const usual: FirstStage = { sinks: 2, top: 6, base: 8, delta: 0.1 };

const attendBy = (backend: Backend, problem: Problem, options: Partial<VAttentionOptions>, seed = 1) =>
  attendHeads(
    backend,
    problem,
    (head) => attendVerified(backend, head, problem, { ...usual, ...options }, seed),
  );

/** Σ e^logit of(key) over a query's keys as it draws them, over the same of all keys. */
function estimate(
  open: OpenQuery,
  logits: Float64Array,
  { epsilon, ...stage }: FirstStage & { epsilon: number },
  seed: number,
  of: (key: number) => number = () => 1,
): number {
  const random = new RandomStream(seed, Purpose.choice);
  const { count, index, logits: own, logWeights } = open(logits, stage, random).choose(epsilon);
  let sum = 0, all = 0;
  for (let at = 0; at < count; at++) sum += of(index[at]) * Math.exp(own[at] + logWeights![at]);
  logits.forEach((logit, key) => all += Math.exp(logit) * of(key));
  return sum / all;
}

for (const spread of [0.5, 1.5, 3]) {
  Deno.test(`vAttention's numerator and denominator are unbiased, spread ${spread}`, () => {
    const logits = Float64Array.from(normals(4, 90, spread)), value = normals(5, 90).map((x) => x + 1);
    for (
      const options of [{ epsilon: 0.1 }, { epsilon: 0.5 }, { epsilon: 1e9 }, {
        epsilon: 0.3,
        sinks: 0,
        top: 0,
      }, { epsilon: 0.2, base: 2 }]
    ) {
      for (const counts of [() => 1, (key: number) => value[key]]) {
        const run = (seed: number) => estimate(openQuery, logits, { ...usual, ...options }, seed, counts);
        assertLess(Math.abs(meanOverSeeds(1500, run, 1).standardErrors), 4);
      }
    }
  });
}

Deno.test("vAttention draws no key twice, certain keys are the first and the heaviest, and used() counts them", () => {
  const logits = Float64Array.from(normals(4, 90, 1.5));
  const heaviest = [...logits.keys()].slice(2).sort((a, b) => logits[b] - logits[a]).slice(0, 6);
  for (let seed = 0; seed < 30; seed++) {
    for (const epsilon of [0.05, 0.4, 1e9]) {
      const opened = openQuery(logits, usual, new RandomStream(seed, Purpose.choice));
      const used = opened.used(epsilon), { count, index, logWeights } = opened.choose(epsilon);
      assertEquals(count, used);
      assertEquals(new Set(Array.from(index)).size, count);
      for (const key of [0, 1, ...heaviest]) assertEquals(logWeights![Array.from(index).indexOf(key)], 0);
      // Certain keys and the first draws count as themselves, all others as one another.
      const weights = Array.from(logWeights!, Math.exp);
      assertEquals(weights.filter((weight) => weight === 1).length, count === 90 ? 90 : 16);
      assertAlmostEquals(weights.reduce((a, b) => a + b), 90, 1e-9);
    }
  }
});

Deno.test("vAttention keeps what it promises where weights are even, and breaks it where they are not", () => {
  const missesOf = (open: OpenQuery, spread: number, stage: Partial<FirstStage>, epsilon: number) => {
    const logits = Float64Array.from(normals(6, 2000, spread));
    let missed = 0;
    for (let seed = 0; seed < 400; seed++) {
      if (Math.abs(estimate(open, logits, { ...usual, ...stage, epsilon }, seed) - 1) > epsilon) missed++;
    }
    return missed / 400;
  };
  // Of 400 runs a tenth, give or take four standard deviations.
  const even = missesOf(openQuery, 0.5, { base: 60 }, 0.05);
  assertLess(even, 0.16);
  assertGreater(even, 0.04);
  // The public code's quantile is one-sided, and its weights are too small.
  assertGreater(missesOf(openAsPublic, 0.5, { base: 60 }, 0.05), 1.8 * even);
  // Sixty draws of lognormal weights without the heaviest keys do not tell how much these spread.
  assertGreater(missesOf(openQuery, 3, { base: 60, top: 0, sinks: 0 }, 0.2), 0.3);
});

Deno.test("the public code's draws are too light, as often as one comes twice", () => {
  const logits = Float64Array.from(normals(7, 128, 1));
  // With replacement, and a key that is drawn twice counts once.
  for (const base of [8, 32, 64]) {
    const predicted = (1 - (1 - 1 / 128) ** base) / (base / 128);
    const run = (seed: number) =>
      estimate(openAsPublic, logits, { sinks: 0, top: 0, base, delta: 0.1, epsilon: 1e9 }, seed);
    const { standardErrors, mean } = meanOverSeeds(2000, run, predicted);
    assertLess(Math.abs(standardErrors), 4);
    assertLess(mean, 0.99);
  }
});

Deno.test("epsilonFor() spends the keys that there are, and no more", () => {
  const opened = Array.from({ length: 40 }, (_, seed) => {
    const logits = Float64Array.from(normals(seed, 300, 1));
    return openQuery(logits, usual, new RandomStream(seed, Purpose.choice));
  });
  for (const keysPerQuery of [30, 80, 200]) {
    const epsilon = epsilonFor(opened, keysPerQuery);
    const used = opened.reduce((sum, own) => sum + own.used(epsilon), 0) / 40;
    assertLessOrEqual(used, keysPerQuery);
    assertGreater(used, keysPerQuery - 1);
  }
});

Deno.test("normalQuantile() inverts the normal distribution", () => {
  // Abramowitz and Stegun, table 26.5 and 26.6.
  for (
    const [probability, x] of [[0.5, 0], [0.9, 1.2815515655], [0.975, 1.9599639845], [0.999, 3.0902323062], [
      0.9999995,
      4.8916384757,
    ]]
  ) {
    assertAlmostEquals(normalQuantile(probability), x, 1e-8);
  }
  assert(Number.isFinite(normalQuantile(1 - 2 ** -53)));
});

onEachBackend(
  "vattention gives the reference's result, and is exact where it may draw every key",
  async (backend) => {
    for (
      const { queries, keys, spread } of [{ queries: 40, keys: 70, spread: 1.5 }, {
        queries: 1,
        keys: 30,
        spread: 3,
      }, { queries: 20, keys: 5, spread: 1 }]
    ) {
      const problem = gaussianHead({ queries, keys, spread }), exact = plainAttention(problem);
      for (const options of [{ epsilon: 0.5 }, { keysPerQuery: 25 }, { epsilon: 0.2, open: openAsPublic }]) {
        const actual = await attendBy(backend, problem, options);
        const expected = await attendBy(new ReferenceBackend(), problem, options);
        assertLess(largestDifference(actual.output, expected.output), 10 * roundingOf(problem));
        assertLess(largestDifference(actual.logSumExp, expected.logSumExp), roundingOf(problem));
        assertEquals(actual.keyEvaluations, queries * keys);
      }
      for (
        const options of [{ top: keys }, { base: keys, epsilon: 1 }, { epsilon: 1e-9 }, { sinks: keys + 1 }]
      ) {
        const { output, logSumExp } = await attendBy(backend, problem, options);
        assertLess(largestDifference(output, exact.output), roundingOf(problem));
        assertLess(largestDifference(logSumExp, exact.logSumExp), roundingOf(problem));
      }
    }
  },
);

onEachBackend(
  "vattention has no overflow and no NaN, and its outputs are means of values",
  async (backend) => {
    for (const spread of [0, 1e-10, 30, 1e3, 1e8]) {
      const problem = gaussianHead({ queries: 20, keys: 40, spread, scale: 1 });
      for (
        const options of [{ epsilon: 0.1 }, { keysPerQuery: 20 }, { top: 0, sinks: 0, keysPerQuery: 9 }, {
          open: openAsPublic,
          epsilon: 0.1,
        }]
      ) {
        const { output, logSumExp } = await attendBy(backend, problem, options);
        assert(output.every((x) => Math.abs(x) <= problem.largestValue * (1 + 1e-6)), `${spread}`);
        assert(logSumExp.every(Number.isFinite));
      }
    }
  },
);

Deno.test("vattention errs less with a larger budget", async () => {
  const problem = gaussianHead({ queries: 100, keys: 300, spread: 1.2 }),
    exact = plainAttention(problem).output;
  const errorAt = async (most: number) => {
    const budget = { bucketSize: most, samples: 0, seed: 1 };
    return relativeError((await vAttention.attend(new ReferenceBackend(), problem, budget)).output, exact);
  };
  assertGreater(await errorAt(20), 1.7 * await errorAt(90));
});

onEachBackend("vattention takes hard inputs", (backend) => assertTakesHardInputs(vAttention, backend, 1e-6));
