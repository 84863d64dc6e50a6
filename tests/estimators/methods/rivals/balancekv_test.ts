import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { makeProblem } from "../../../../estimators/core/problem.ts";
import {
  attendBalanced,
  balancekv,
  GAMMA,
  planBalancing,
} from "../../../../estimators/methods/rivals/balancekv/balancekv.ts";
import { type Balancing, halveKeys } from "../../../../estimators/methods/rivals/balancekv/halve_keys.ts";
import { walkBlock } from "../../../../estimators/methods/rivals/balancekv/walk_block.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, largestMagnitude, sumOf } from "../../../precision.ts";
import { assertTakesHardInputs, familyProblem } from "./hard_inputs.ts";

const features = 4, valueFeatures = 3;
const anyBudget = { bucketSize: 1, samples: 0 };

const halve = (keys: number, balancing: Balancing, seed: number) =>
  halveKeys(
    {
      ...{ features, valueFeatures, scale: 0.5 },
      key: normals(1, keys * features),
      value: normals(2, keys * valueFeatures, 3),
    },
    keys,
    balancing,
    new RandomStream(seed, Purpose.coreset),
  );

Deno.test("BalanceKV keeps half of the keys in each round, with weights that are powers of two", async () => {
  for (const [keys, rounds, block] of [[256, 3, 32], [101, 2, 17], [75, 4, 200], [64, 1, 1]]) {
    for (let seed = 0; seed < 4; seed++) {
      const { kept, weights } = await halve(keys, { rounds, block, gamma: GAMMA, first: "coin" }, seed);
      assertEquals(kept.length, Math.ceil(keys / 2 ** rounds));
      assertEquals(new Set(kept).size, kept.length);
      assert(weights.every((weight) => Number.isInteger(Math.log2(weight)) && weight <= 2 ** rounds));
      assert(
        sumOf(weights) > keys / 2 && sumOf(weights) <= keys + 2 ** rounds,
        `${sumOf(weights)} of ${keys}`,
      );
    }
  }
});

Deno.test("a walk balances the kernel sums of both signs, far better than coins do", () => {
  const count = 300, key = Float64Array.from(normals(1, 2 * count)), scale = 0.1;
  const value = new Float64Array(count).fill(1), shape = { key, value, count, scale };
  const imbalance = (signs: ArrayLike<number>) => {
    let sum = 0;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        const power = key[2 * a] * key[2 * b] + key[2 * a + 1] * key[2 * b + 1];
        sum += signs[a] * signs[b] * Math.exp(scale * power);
      }
    }
    return sum;
  };
  for (const gamma of [0.1, GAMMA]) {
    let walked = 0, tossed = 0;
    for (let seed = 0; seed < 10; seed++) {
      const random = new RandomStream(seed, Purpose.coreset);
      walked += imbalance(walkBlock(shape, { gamma, first: "coin" }, random));
      tossed += imbalance(Int8Array.from({ length: count }, () => 2 * random.integer(2) - 1));
    }
    assertLess(walked, 0.2 * tossed, `γ = ${gamma}`);
  }
});

Deno.test("a first sign of 1 leaves keys that no seed keeps; a coin does not", async () => {
  const keys = 60,
    times = async (first: Balancing["first"]) => {
      const counts = new Float64Array(keys);
      for (let seed = 0; seed < 200; seed++) {
        for (const row of (await halve(keys, { rounds: 1, block: 12, gamma: 1e6, first }, seed)).kept) {
          counts[row]++;
        }
      }
      return counts;
    };
  assertEquals((await times("one")).filter((count) => count === 0).length, keys / 2);
  assert((await times("coin")).every((count) => count > 0));
});

onEachBackend("BalanceKV returns constant values, unless weights are on values alone", async (backend) => {
  const rows = (seed: number, width: number) => tensor(normals(seed, 200 * width), [1, 200, width]);
  const ones = tensor(new Float32Array(400).fill(1), [1, 200, 2]);
  const problem = makeProblem(rows(1, features), rows(2, features), ones);
  const balancing = { rounds: 3, block: 50, gamma: GAMMA, first: "coin" } as const;
  for (let seed = 0; seed < 3; seed++) {
    const answer = async (valuesOnly: boolean) => {
      const budget = { ...anyBudget, seed };
      const { output } = await attendBalanced(backend, problem, budget, balancing, { valuesOnly });
      backend.reset();
      return output;
    };
    assert((await answer(false)).every((x) => Math.abs(x - 1) <= 1e-6));
    const spoilt = await answer(true);
    assert(spoilt.every((x) => x <= 1 + 1e-6) && Math.min(...spoilt) < 0.9);
  }
});

onEachBackend("BalanceKV gives the reference's result", async (backend) => {
  for (const [n, queries] of [[700, 700], [513, 900], [900, 120]]) {
    const problem = familyProblem("clustered", { n, queries }),
      budget = { bucketSize: 24, samples: 40, seed: 3 };
    const actual = await balancekv.attend(backend, problem, budget);
    backend.reset();
    const expected = await balancekv.attend(new ReferenceBackend(), problem, budget);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    assertLess(largestDifference(actual.output, expected.output), 1e-4 * largestMagnitude(problem.value));
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-3);
  }
});

onEachBackend("BalanceKV takes hard inputs", (backend) => assertTakesHardInputs(balancekv, backend, 1e-5));

Deno.test("BalanceKV's plan has larger blocks for larger budgets, and the published ones where these fit", () => {
  const blocks = [96, 192, 384].map((each) => planBalancing(4096, 4096, 4096 * each).block);
  assert(blocks[0] < blocks[1] && blocks[1] < blocks[2] && blocks[2] >= 128, String(blocks));
  for (const [queries, keys, each] of [[1, 4096, 96], [50, 700, 20], [4096, 300, 20], [9, 100, 5]]) {
    const { rounds } = planBalancing(queries, keys, queries * each);
    assertLessOrEqual(Math.ceil(keys / 2 ** rounds), each);
  }
});
