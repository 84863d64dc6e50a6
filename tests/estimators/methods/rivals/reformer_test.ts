import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual, assertMatch } from "@std/assert";
import { exactAttention } from "../../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../../estimators/core/problem.ts";
import { attendRounds } from "../../../../estimators/methods/rivals/reformer/attend_rounds.ts";
import { cutRound, hashRounds } from "../../../../estimators/methods/rivals/reformer/hash_rounds.ts";
import {
  attendShared,
  planRounds,
  reformer,
} from "../../../../estimators/methods/rivals/reformer/reformer.ts";
import { unitRows } from "../../../../estimators/methods/rivals/reformer/shared_rows.ts";
import { mergeRows } from "../../../../estimators/core/merge_rows.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { attention } from "../../../../mod.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals, wordsBelow } from "../../../data.ts";
import { onEachDevice } from "../../../devices.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { hardProblems } from "./hard_inputs.ts";

/** Queries, keys of the same directions at length 3, and values; rows lie about `centres` points. */
function sharedProblem(
  { n, d = 6, dV = 2, heads = 1, centres = n, size = 1 }: {
    readonly [name: string]: number;
  } & { readonly n: number },
): Problem {
  const at = normals(8, centres * d, size), scatter = normals(9, heads * n * d, 0.2);
  const rows = scatter.map((x, i) => x + at[(Math.floor(i / d) * 7 % centres) * d + i % d]);
  const shape = [heads, n, d], value = tensor(normals(3, heads * n * dV), [heads, n, dV]);
  return makeProblem(tensor(rows, shape), tensor(unitRows(rows, d).map((x) => 3 * x), shape), value, {
    scale: 0.9,
  });
}

onEachBackend(
  "reformer with one chunk is exact attention, with its own key or without it",
  async (backend) => {
    const problem = sharedProblem({ n: 40 }), { features, query, key, value, scale } = problem;
    const exact = await exactAttention(new ReferenceBackend(), problem);
    const options = { factors: [3], chunkSize: 40, others: false };
    for (const rounds of [1, 3]) {
      const head = { ...problem, at: 0 };
      const once = await attendShared(backend, problem, head, { ...options, rounds, repeats: false }, 1);
      assertLess(largestDifference(once.output, exact.output), 1e-5);
      assertLess(largestDifference(once.logSumExp, exact.logSumExp), 1e-5);
      assertEquals(once.keyEvaluations, 40 * 40);
      // A key that every round holds counts as often: the output stays.
      const often = await attendShared(backend, problem, head, { ...options, rounds, repeats: true }, 1);
      assertLess(largestDifference(often.output, exact.output), 1e-5);
      assertLess(
        largestDifference(often.logSumExp, exact.logSumExp.map((sum) => sum + Math.log(rounds))),
        1e-5,
      );
      const others = await attendShared(backend, problem, head, {
        ...options,
        rounds,
        repeats: false,
        others: true,
      }, 1);
      for (let i = 0; i < 40; i++) {
        let mass = 0, product = 0;
        for (let j = 0; j < 40; j++) {
          let logit = 0;
          for (let c = 0; c < features; c++) logit += scale * query[i * features + c] * key[j * features + c];
          if (j === i) continue;
          mass += Math.exp(logit);
          product += Math.exp(logit) * value[2 * j];
        }
        assertLess(Math.abs(others.logSumExp[i] - Math.log(mass)), 1e-5);
        assertLess(Math.abs(others.output[2 * i] - product / mass), 1e-5);
      }
    }
  },
);

Deno.test("reformer's rounds merge by their log-sums, a key counting as often as it is met", async () => {
  const problem = sharedProblem({ n: 90, centres: 7 }), head = { ...problem, at: 0 };
  const rows = { data: problem.query, count: 90 }, hash = { rounds: 4, factors: [2, 3], chunkSize: 11 };
  const rounds = await hashRounds(new ReferenceBackend(), rows, problem.features, hash, 2, 0);
  for (const others of [false, true]) {
    const merged = await attendRounds(problem, head, [rounds[0]], { repeats: true, others });
    for (const round of rounds.slice(1)) {
      mergeRows(merged, await attendRounds(problem, head, [round], { repeats: true, others }), 2);
    }
    const together = await attendRounds(problem, head, rounds, { repeats: true, others });
    assertLess(largestDifference(together.output, merged.output), 1e-5);
    assertLess(largestDifference(together.logSumExp, merged.logSumExp), 1e-5);
    // Counted once, keys that rounds share weigh less.
    const once = await attendRounds(problem, head, rounds, { repeats: false, others });
    assert(once.logSumExp.every((sum, row) => sum <= together.logSumExp[row]));
    assertGreater(largestDifference(once.output, together.output), 1e-3);
  }
});

Deno.test("chunks hold each row once, in the order of buckets, and equal rows are in one bucket", async () => {
  const bucket = wordsBelow(4, 100, 9), { order, chunk, starts } = cutRound(bucket, 7);
  assertEquals([...order].sort((a, b) => a - b), Array.from({ length: 100 }, (_, at) => at));
  for (let place = 1; place < 100; place++) {
    const [before, own] = [order[place - 1], order[place]];
    assert(bucket[before] < bucket[own] || bucket[before] === bucket[own] && before < own);
  }
  for (let at = 0; at < 7; at++) {
    assert(order.subarray(starts[at], starts[at + 1]).every((row) => chunk[row] === at));
    assert([14, 15].includes(starts[at + 1] - starts[at]));
  }
  // Rows of two opposite directions: a chunk of half of them holds one kind, whatever the directions.
  const rows = {
    data: normals(1, 64 * 5).map((_, at) => (Math.floor(at / 5) % 2 ? 1 : -1) * (at % 5 + 1)),
    count: 64,
  };
  const rounds = await hashRounds(
    new ReferenceBackend(),
    rows,
    5,
    { rounds: 3, factors: [1, 2], chunkSize: 32 },
    1,
    0,
  );
  for (const round of rounds) {
    assertEquals(new Set(round.order.subarray(0, 32).map((row) => row % 2)).size, 1);
  }
});

onEachBackend(
  "reformer() gives the reference's result within its budget, on heads of several sizes",
  async (backend) => {
    for (const [n, d, dV] of [[300, 6, 2], [130, 1, 5], [61, 17, 1]]) {
      for (const samples of [3, 20, 50]) {
        const problem = sharedProblem({ n, d, dV, heads: 2, centres: 11 }),
          budget = { bucketSize: 1, samples, seed: 4 };
        assertEquals(reformer.refusal!(problem, budget), undefined);
        const actual = await reformer.attend(backend, problem, budget);
        backend.reset();
        const expected = await reformer.attend(new ReferenceBackend(), problem, budget);
        assertLessOrEqual(actual.keyEvaluations, 2 * n * (1 + samples));
        assertEquals(actual.keyEvaluations, expected.keyEvaluations);
        assertLess(largestDifference(actual.output, expected.output), 1e-5);
        assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-5);
      }
    }
  },
);

Deno.test("reformer() errs less with a larger budget, and far less than chunks of rows in no order", async () => {
  const problem = sharedProblem({ n: 400, centres: 41, size: 2, d: 16 }), reference = new ReferenceBackend();
  const exact = await exactAttention(reference, problem);
  const errorAt = async (samples: number) =>
    relativeError(
      (await reformer.attend(reference, problem, { bucketSize: 0, samples, seed: 2 })).output,
      exact.output,
    );
  const { rounds, chunkSize } = planRounds(400, 160);
  const blind = Array.from(
    { length: rounds },
    (_, at) => cutRound(wordsBelow(at, 400, 2 ** 30), Math.ceil(400 / chunkSize)),
  );
  const rules = { repeats: false, others: false };
  const { output } = await attendRounds(problem, { ...problem, at: 0 }, blind, rules);
  const [small, large] = [await errorAt(20), await errorAt(160)];
  assertLess(large, small / 2);
  assertLess(large, relativeError(output, exact.output) / 2);
});

onEachDevice(
  "keys that are far from 0 are still the queries that they are, with a certificate too",
  async (device) => {
    const n = 200,
      rows = tensor(normals(1, n * 4).map((x) => x + 30), [n, 4]),
      value = tensor(normals(2, n), [n, 1]);
    for (const options of [{ budget: 40 }, { bucketSize: 10, samples: 30, epsilon: 0.5 }]) {
      const { output, stats } = await attention(rows, rows, value, {
        method: "reformer",
        device,
        scale: 0.01,
        ...options,
      });
      assert(output.data.every(Number.isFinite) && (stats.method === "reformer" || "epsilon" in options));
    }
  },
);

Deno.test("plans of rounds keep to the budget and use most of it", () => {
  for (const rows of [5, 100, 4096, 100_000]) {
    for (const most of [4, 7, 30, 96, 192, 384, 1000]) {
      const { rounds, factors: [a, b], chunkSize } = planRounds(rows, most);
      assert(chunkSize >= 1 && a >= 1 && a === b);
      const cost = rounds * (2 * chunkSize + a + b);
      assertLessOrEqual(cost, most);
      assertGreater(cost, 0.7 * most);
    }
  }
});

onEachBackend("reformer() stays finite and within the values on hard inputs", async (backend) => {
  const budget = { bucketSize: 5, samples: 20, seed: 1 };
  for (const [name, { key, keys, scale, ...problem }] of hardProblems()) {
    const shared = { ...problem, query: key, key, queries: keys, keys, scale: Math.abs(scale) };
    assertEquals(reformer.refusal!(shared, budget), undefined, name);
    const { output, logSumExp } = await reformer.attend(backend, shared, budget);
    backend.reset();
    assert(logSumExp.every((sum) => Number.isFinite(sum) && sum > -1e38), name);
    const most = Math.max(...problem.value), least = Math.min(...problem.value);
    assert(output.every((x) => x >= least - 1e-5 && x <= most + 1e-5), name);
  }
});

Deno.test("reformer refuses what it has no meaning for, and says what and where", async () => {
  const problem = sharedProblem({ n: 50, heads: 2 }), budget = { bucketSize: 5, samples: 10, seed: 0 };
  const refusal = (changes: Partial<Problem>, own = budget) =>
    reformer.refusal!({ ...problem, ...changes }, own) ?? "";
  const apart = problem.key.slice(), opposite = problem.key.slice();
  apart[(50 + 7) * 6 + 2] += 0.01;
  for (let c = 0; c < 6; c++) opposite[3 * 6 + c] *= -1;
  assertEquals(refusal({}), "");
  assertMatch(refusal({ key: apart }), /keys that are queries up to their length: row 7 of head 1 is none$/);
  assertMatch(refusal({ key: opposite }), /row 3 of head 0 is none$/);
  assertMatch(refusal({ queries: 25 }), /one query for each key.*25 queries for 50 keys$/);
  assertMatch(refusal({ causalOffset: 0 }), /neither causal order nor a mask/);
  assertMatch(refusal({ scale: -1 }), /scale of at least 0: current value is -1$/);
  assertMatch(
    refusal({}, { bucketSize: 1, samples: 2, seed: 0 }),
    /at least 4 evaluations a query: current value is 3$/,
  );
  assertEquals(refusal({ key: apart, queries: 25 }, { bucketSize: 50, samples: 0, seed: 0 }), "");

  const rows = tensor(normals(1, 60 * 4), [60, 4]);
  const { stats } = await attention(rows, rows, rows, { method: "reformer", budget: 20, device: "wasm" });
  assertEquals(stats.method, "reformer");
  assertLessOrEqual(stats.keyEvaluations, 60 * 20);
});
