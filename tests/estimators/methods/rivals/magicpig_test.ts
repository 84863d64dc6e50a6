import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertLessOrEqual,
  assertMatch,
} from "@std/assert";
import { exactAttention } from "../../../../estimators/core/exact.ts";
import type { Problem } from "../../../../estimators/core/problem.ts";
import { arrangeBits } from "../../../../estimators/methods/rivals/magicpig/arrange.ts";
import { limitOf } from "../../../../estimators/methods/rivals/magicpig/attend_found.ts";
import {
  LogChances,
  logTail,
  type TableShape,
} from "../../../../estimators/methods/rivals/magicpig/chance.ts";
import { geometryOf } from "../../../../estimators/methods/rivals/magicpig/geometry.ts";
import {
  attendHashed,
  magicpig,
  magicpigPublished,
  tablesOf,
} from "../../../../estimators/methods/rivals/magicpig/magicpig.ts";
import { hashHead, Tables } from "../../../../estimators/methods/rivals/magicpig/tables.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { onEachBackend } from "../../../backends.ts";
import { normals } from "../../../data.ts";
import { largestDifference, relativeError } from "../../../precision.ts";
import { assertTakesHardInputs } from "./hard_inputs.ts";
import { normalProblem } from "./problems.ts";
import { assertUnbiased } from "./unbiased.ts";

const headOf = (problem: Problem) => ({ ...problem, at: 0 });

Deno.test("magicpig's numerators and denominators are unbiased, by either rule and in either space", async () => {
  for (const scale of [0.4, -0.4]) {
    const problem = normalProblem({ queries: 20, keys: 30, d: 4, dV: 2, scale });
    for (const space of ["centred", "lifted"] as const) {
      for (const [bits, tables, collisions] of [[2, 4, 1], [1, 7, 3]]) {
        const options = { space, bits, tables, collisions, sinks: 3, recent: 1 };
        const attend = (seed: number) =>
          attendHashed(new ReferenceBackend(), problem, headOf(problem), options, seed);
        await assertUnbiased(problem, attend, { seeds: 250, precise: 0.03 });
      }
    }
  }
});

Deno.test("magicpig stays unbiased where it looks at some of the keys that it finds", async () => {
  const problem = normalProblem({ queries: 20, keys: 30, d: 4, dV: 2, scale: 0.4 }), head = headOf(problem);
  const options = {
    space: "centred",
    bits: 1,
    tables: 3,
    collisions: 1,
    sinks: 2,
    recent: 0,
    most: 20 * 9,
  } as const;
  const attend = async (seed: number) => {
    const result = await attendHashed(new ReferenceBackend(), problem, head, options, seed);
    assertLessOrEqual(result.keyEvaluations, 20 * (2 + 9));
    return result;
  };
  await assertUnbiased(problem, attend, { seeds: 400, precise: 0.03 });
});

Deno.test("chances are those of binomial tails, however small, and those of hashing rows", async () => {
  const choose = (n: number, k: number): number => k === 0 ? 1 : choose(n - 1, k - 1) * n / k;
  for (const [bits, tables, collisions] of [[1, 1, 1], [3, 5, 1], [4, 30, 2], [2, 9, 4], [10, 150, 2]]) {
    for (const angle of [0.05, 0.7, 1.5, 2.4, 3]) {
      const p = (1 - angle / Math.PI) ** bits;
      let tail = 0;
      for (let t = tables; t >= collisions; t--) tail += choose(tables, t) * p ** t * (1 - p) ** (tables - t);
      const shape = { bits, tables, collisions };
      assertAlmostEquals(logTail(bits * Math.log1p(-angle / Math.PI), shape), Math.log(tail), 1e-9);
      assertAlmostEquals(new LogChances(shape).at(Math.cos(angle)), Math.log(tail), 1e-4);
    }
  }
  const shape = { bits: 20, tables: 500, collisions: 2 };
  assertEquals(new LogChances(shape).at(1), 0);
  assert(Number.isFinite(new LogChances(shape).at(-1)) && new LogChances(shape).at(-1) < -500);

  // Found as often as that, over many hyperplanes: rows of zeros too, whose bits are zeros.
  for (const space of ["centred", "lifted"] as const) {
    const problem = normalProblem({ queries: 12, keys: 16, d: 3 }),
      own = { bits: 3, tables: 6, collisions: 2 };
    problem.query.fill(0, 0, 3);
    const geometry = geometryOf(problem.query, problem.key, 3, space, 1), found = new Uint32Array(16);
    const times = new Float64Array(12 * 16), seeds = 400, chances = new LogChances(own);
    for (let seed = 0; seed < seeds; seed++) {
      const tables = new Tables(await hashHead(new ReferenceBackend(), geometry, 18, seed, 0), own);
      for (let i = 0; i < 12; i++) {
        for (const j of found.subarray(0, tables.find(i, [0, 16], found))) times[i * 16 + j] += 1 / seeds;
      }
    }
    times.forEach((share, at) => {
      const [i, j] = [Math.floor(at / 16), at % 16];
      let product = 0;
      for (let c = 0; c < 3; c++) product += problem.query[i * 3 + c] * geometry.centred[j * 3 + c];
      const chance = Math.exp(chances.at(geometry.cosine(i, j, product)));
      assertLess(
        Math.abs(share - chance),
        4.5 * Math.sqrt(chance * (1 - chance) / seeds) + 1e-9,
        `${i}, ${j}`,
      );
    });
  }
});

Deno.test("tables find what sign bits say, with more buckets than keys too, and no key outside their range", async () => {
  const problem = normalProblem({ queries: 30, keys: 50, d: 3 });
  const geometry = geometryOf(problem.query, problem.key, 3, "centred", 1);
  for (const shape of [{ bits: 9, tables: 8, collisions: 1 }, { bits: 2, tables: 5, collisions: 3 }]) {
    const perRow = 73, hashed = await hashHead(new ReferenceBackend(), geometry, perRow, 2, 0);
    const tables = new Tables(hashed, shape), found = new Uint32Array(50);
    for (let i = 0; i < 30; i++) {
      const right: number[] = [];
      for (let j = 5; j < 45; j++) {
        let met = 0;
        for (let table = 0; table < shape.tables; table++) {
          let same = true;
          for (let bit = table * shape.bits; bit < (table + 1) * shape.bits; bit++) {
            same &&= hashed.queryBits[i * perRow + bit] === hashed.keyBits[j * perRow + bit];
          }
          if (same) met++;
        }
        if (met >= shape.collisions) right.push(j);
      }
      const count = tables.find(i, [5, 45], found);
      assertEquals([...found.subarray(0, count)].sort((a, b) => a - b), right);
    }
  }
});

Deno.test("magicpig is exact where every key is a sink or recent, or sure to be found", async () => {
  const problem = normalProblem({ queries: 20, keys: 30, scale: 2 }), reference = new ReferenceBackend();
  const exact = await exactAttention(reference, problem), shape = { bits: 2, tables: 3, collisions: 1 };
  for (const [sinks, recent] of [[30, 0], [99, 99], [12, 18], [0, 30]]) {
    const options = { ...shape, space: "centred", sinks, recent } as const;
    const all = await attendHashed(reference, problem, headOf(problem), options, 1);
    assertLess(largestDifference(all.output, exact.output), 1e-6);
    assertLess(largestDifference(all.logSumExp, exact.logSumExp), 1e-6);
    assertEquals(all.keyEvaluations, 20 * 30);
  }
});

onEachBackend("magicpig() and its published form give the reference's result", async (backend) => {
  for (const [queries, keys] of [[200, 200], [90, 300], [300, 130]]) {
    const problem = normalProblem({ queries, keys, d: 9, dV: 5, heads: 2 }),
      budget = { bucketSize: 20, samples: 50, seed: 4 };
    for (const method of keys === 130 ? [magicpig, magicpigPublished] : [magicpig]) {
      const actual = await method.attend(backend, problem, budget);
      backend.reset();
      const expected = await method.attend(new ReferenceBackend(), problem, budget);
      // A product near 0 may have either sign: a bit of one table of few queries.
      assertLess(Math.abs(actual.keyEvaluations / expected.keyEvaluations - 1), 0.002);
      const differ = actual.logSumExp.filter((sum, row) =>
        Math.abs(sum - expected.logSumExp[row]) > 1e-4
      ).length;
      assertLess(differ / actual.logSumExp.length, 0.02);
    }
  }
});

Deno.test("magicpig() keeps to its budget with all hashing, and uses most of it", async () => {
  const some = normals(7, 4), sides = (at: number) => (Math.floor(at / 4) % 2 ? 1 : -1) * some[at % 4];
  const opposite = normalProblem({ queries: 200, keys: 200, d: 4 });
  const problems = [
    normalProblem({ queries: 400, keys: 400 }),
    normalProblem({ queries: 60, keys: 500 }),
    normalProblem({ queries: 500, keys: 150 }),
    // Keys of two opposite directions: hashes tell no two of one side apart.
    { ...opposite, key: opposite.key.map((_, at) => sides(at)) },
  ];
  for (const problem of problems) {
    for (const most of [30, 45, 100]) {
      const budget = { bucketSize: 0, samples: most, seed: 3 };
      if (most >= problem.keys || magicpig.refusal!(problem, budget) !== undefined) continue;
      const { keyEvaluations } = await magicpig.attend(new ReferenceBackend(), problem, budget);
      assertLessOrEqual(keyEvaluations, most * problem.queries);
      assertGreater(keyEvaluations, 0.6 * most * problem.queries);
    }
  }
});

onEachBackend(
  "magicpig() takes hard inputs within its budget, and stays within the values",
  async (backend) => {
    await assertTakesHardInputs(magicpig, backend, 1e-5);
    await assertTakesHardInputs(magicpigPublished, backend, 1e-5);
  },
);

Deno.test("a query that finds nothing and has no sinks has no output, and says so", async () => {
  const problem = normalProblem({ queries: 20, keys: 30 });
  const options = { space: "centred", bits: 24, tables: 1, collisions: 1, sinks: 0, recent: 0 } as const;
  const { output, logSumExp } = await attendHashed(
    new ReferenceBackend(),
    problem,
    headOf(problem),
    options,
    1,
  );
  assert(logSumExp.some((sum) => sum < -1e38));
  logSumExp.forEach((sum, row) => {
    if (sum < -1e38) assertEquals([...output.subarray(3 * row, 3 * row + 3)], [0, 0, 0]);
  });
});

Deno.test("bits and tables are chosen so that about as many keys are found as asked for", async () => {
  const problem = normalProblem({ queries: 300, keys: 400, d: 6 }), found = new Uint32Array(400);
  const geometry = geometryOf(problem.query, problem.key, 6, "centred", 1),
    reference = new ReferenceBackend();
  const meanOf = async (perRow: number, shape: TableShape, seed = 5) => {
    const tables = new Tables(await hashHead(reference, geometry, perRow, seed, 0), shape);
    let sum = 0;
    for (let i = 0; i < 300; i++) sum += tables.find(i, [0, 400], found);
    return sum / 300;
  };
  for (const collisions of [1, 2]) {
    const hashed = await hashHead(reference, geometry, 48, 5, 0);
    const shape = arrangeBits(hashed, collisions, 40, new RandomStream(1, Purpose.data));
    assertLess(await meanOf(48, shape), 1.3 * 40);
    const bits = shape.bits - 1;
    if (bits > 0) {
      assertGreater(await meanOf(48, { bits, tables: Math.floor(48 / bits), collisions }), 0.8 * 40);
    }
    const rule = { bits: 5, collisions, space: "centred" } as const;
    const { tables, products } = tablesOf(problem, headOf(problem), rule, 40, 1);
    assertEquals(products, 64 * 400);
    let mean = 0;
    for (let seed = 0; seed < 20; seed++) {
      mean += await meanOf(5 * tables, { bits: 5, tables, collisions }, seed) / 20;
    }
    // One table more would find more than 40 in the mean.
    assertLess(mean, 1.2 * 40);
    assertGreater(mean * ((tables + 1) / tables) ** collisions, 0.8 * 40);
  }
  assertEquals(limitOf(Uint32Array.of(1, 5, 9, 0), 12), 6);
  assertEquals(limitOf(Uint32Array.of(1, 5, 9, 0), 100), 9);
  assertEquals(limitOf(Uint32Array.of(1, 5, 9, 0), 2), 0);
});

Deno.test("magicpig() errs less with a larger budget; its published form far less, for hashing that is on top", async () => {
  const problem = normalProblem({ queries: 400, keys: 400, scale: 1 }), reference = new ReferenceBackend();
  const exact = await exactAttention(reference, problem);
  const errorOf = async (method: typeof magicpig, samples: number) => {
    const errors: number[] = [];
    for (let seed = 0; seed < 5; seed++) {
      const { output } = await method.attend(reference, problem, { bucketSize: 0, samples, seed });
      errors.push(relativeError(output, exact.output));
    }
    return errors.sort((a, b) => a - b)[2];
  };
  const [small, large] = [await errorOf(magicpig, 20), await errorOf(magicpig, 200)];
  assertLess(large, 0.7 * small);
  assertLess(await errorOf(magicpigPublished, 20), small);
});

Deno.test("magicpig refuses a budget without room for a hash, and names the least", () => {
  const problem = normalProblem({ queries: 10, keys: 95 });
  assertMatch(
    magicpig.refusal!(problem, { bucketSize: 4, samples: 6, seed: 0 })!,
    /at least 12 evaluations.*10 queries and 95 keys: current value is 10/,
  );
  assertEquals(magicpig.refusal!(problem, { bucketSize: 6, samples: 6, seed: 0 }), undefined);
});
