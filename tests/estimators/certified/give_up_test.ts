import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { attemptWithin } from "../../../estimators/certified/attempts.ts";
import { checkpoints } from "../../../estimators/certified/check_plan.ts";
import { ExactRows } from "../../../estimators/certified/exact_rows.ts";
import { headGeometry } from "../../../estimators/certified/head_geometry.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { generalNames, rivalNames } from "../../method_names.ts";
import { approximateMethods } from "../../../estimators/methods/methods.ts";
import { type Method, perQuery } from "../../../estimators/methods/method.ts";
import type { Backend } from "../../../kernels/backend.ts";
import { runJob } from "../../../kernels/device.ts";
import { RandomStream } from "../../../kernels/random.ts";
import { attention, openDevice, tensor } from "../../../mod.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";

/** What may be lost of the evaluations of exact attention. */
const LOST = 0.12;

for (const method of ["auto", ...generalNames] as const) {
  Deno.test(`a certificate that is refused costs at most ${LOST} of exact attention: ${method}`, async () => {
    using device = await openDevice({ prefer: "wasm" });
    let lost = 0, refused = 0, held = 0;
    for (const family of ["gaussian", "clustered", "permutation-softmax", "heavy-tailed"]) {
      for (const n of [300, 1100]) {
        const sizes = { n, features: 32, valueFeatures: 4 };
        const { query, key, value, scale } = inputFamily(family).generate({ ...sizes, seed: 3 });
        const budgets = [{ bucketSize: 12, samples: 20 }, { bucketSize: 40, samples: 60 }];
        for (const epsilon of [0.8, 0.3, 0.05]) {
          for (const budget of budgets) {
            const options = { ...budget, scale, epsilon, method, device, checkSeed: 5 };
            const { certificate, stats } = await attention(query, key, value, options);
            if (certificate?.kind !== "exact") {
              held++;
              continue;
            }
            refused++;
            lost = Math.max(lost, stats.keyEvaluations / n ** 2 - 1);
            assertLessOrEqual(stats.keyEvaluations, (1 + LOST) * n ** 2, `${family}, ${n}, ${epsilon}`);
            assertMatch(stats.fellBack!, /^exact: /);
          }
        }
      }
    }
    assert(refused > 0);
    // Some were refused after an attempt, or the account has not been put to the test.
    const tries = method === "auto" || approximateMethods[method].withinBudget;
    // Random features err so little on normal rows that each attempt at these holds.
    const rival = rivalNames.some((name) => name === method);
    assertEquals(lost > 0.03 || rival && held > 0, tries, String(lost));
  });
}

Deno.test("heads that share a key head keep to the same allowance", async () => {
  const n = 640, heads = 4;
  const query = tensor(normals(1, heads * n * 8), [heads, n, 8]);
  const [key, value] = [2, 3].map((seed) => tensor(normals(seed, 2 * n * 8), [2, n, 8]));
  const budget = { bucketSize: 16, samples: 16, method: "hyperattention", device: "wasm" } as const;
  const { certificate, stats } = await attention(query, key, value, { ...budget, epsilon: 0.25 });
  assertEquals(certificate?.kind, "exact");
  assertLessOrEqual(stats.keyEvaluations, (1 + LOST) * heads * n ** 2);
});

Deno.test("what is refused is said in numbers", async () => {
  const { query, key, value, scale } = inputFamily("gaussian").generate({ n: 512, seed: 1 });
  const why = async (options: { epsilon: number; samples: number; method?: "kdeformer" }) =>
    (await attention(query, key, value, { ...options, scale, bucketSize: 16, device: "wasm" })).stats
      .fellBack;
  assertMatch(
    (await why({ epsilon: 0.05, samples: 16 }))!,
    /^exact: certifying epsilon 0\.05 would take \d+ checked rows of 512 even without an error, and no more than 358 pay$/,
  );
  assertMatch(
    (await why({ epsilon: 0.5, samples: 90 }))!,
    /^exact: \d+ keys per query are too many .* \d+ of 512/,
  );
  assertMatch((await why({ epsilon: 0.5, samples: 16, method: "kdeformer" }))!, /^exact: .* no budget/);
});

Deno.test("checkpoints of all attempts together spend no more than delta, whatever rows they are at", () => {
  for (const delta of [0.9, 0.05, 1e-9]) {
    for (const [first, most] of [[64, 64], [64, 70], [100, 100_000], [3000, 11_468]]) {
      let spent = 0;
      for (let attempt = 0; attempt < 60; attempt++) {
        const points = checkpoints(first, most, attempt, delta);
        spent += points.reduce((sum, point) => sum + point.delta, 0);
        assertEquals([points[0].rows, points.at(-1)!.rows], [first, most]);
        points.slice(1).forEach(({ rows }, at) => assert(rows > points[at].rows));
      }
      assertLessOrEqual(spent, delta * (1 + 1e-12));
      assertLessOrEqual(delta / 3, spent);
    }
  }
});

/** Counts the rows that a backend attends to. */
function countRows(backend: Backend): { backend: Backend; rows: () => number } {
  let rows = 0;
  const counting = new Proxy(backend, {
    get(target, name) {
      const found = Reflect.get(target, name, target);
      if (typeof found !== "function") return found;
      return (...args: unknown[]) => {
        if (name === "attend") {
          const { heads, queries } = args[0] as { heads: number; queries: number };
          rows += heads * queries;
        }
        return found.apply(target, args);
      };
    },
  });
  return { backend: counting, rows: () => rows };
}

onEachBackend(
  "rows drawn in steps are rows of exact attention, which computes the others alone",
  async (given) => {
    const n = 90, heads = 2, group = 3, width = 5, { backend, rows: computed } = countRows(given);
    const query = tensor(normals(4, heads * group * n * 7), [heads * group, n, 7]);
    const key = tensor(normals(5, heads * 50 * 7), [heads, 50, 7]);
    const value = tensor(normals(6, heads * 50 * width), [heads, 50, width]);
    const problem = makeProblem(query, key, value);
    const { output: exact } = await exactAttention(given, problem);
    const geometry = await headGeometry(given, problem, 8);
    const inSteps = new ExactRows(problem, geometry, 8), atOnce = new ExactRows(problem, geometry, 8);
    await inSteps.extendTo(backend, 11);
    await inSteps.extendTo(backend, 7);
    await inSteps.extendTo(backend, 40);
    await atOnce.extendTo(given, 40);
    const output = await inSteps.complete(backend, {});
    assertEquals(computed(), heads * group * n);
    const error = output.reduce((most, x, at) => Math.max(most, Math.abs(x - exact[at])), 0);
    assertLessOrEqual(error, 1e-5);
    const seen = new Set<string>();
    for (let head = 0; head < heads * group; head++) {
      const { picks, images } = inSteps.ofHead(head), other = atOnce.ofHead(head);
      assertEquals(picks, other.picks);
      assertEquals(new Set(picks).size, 40);
      assertEquals(images.length, 40);
      seen.add(picks.join());
    }
    assertEquals(seen.size, heads * group);
  },
);

for (const delta of [0.25, 0.1]) {
  Deno.test(`judging one output after the other by the same rows is right as often as it says: delta ${delta}`, async () => {
    const n = 1300, epsilon = 0.45, runs = 150;
    // Queries and keys of two kinds, each query looking to keys of its own: P has norm 1, rows of P V are ±1.
    const signs = Float32Array.from({ length: n }, (_, at) => at % 2 ? 5 : -5), shape = [1, n, 1];
    const problem = makeProblem(
      tensor(signs, shape),
      tensor(signs, shape),
      tensor(signs.map(Math.sign), shape),
      {
        scale: 1,
      },
    );
    const flipped = Math.floor(epsilon ** 2 * n / 4) + 4;
    using device = await openDevice({ prefer: "wasm" });
    await runJob(device, async (backend) => {
      const { output: exact, logSumExp } = await exactAttention(backend, problem);
      const start = { bucketSize: 4, samples: 4, seed: 0 };
      /** Errs on so many rows, others with each budget. */
      const run = async (count: number, seed: number) => {
        let attempts = 0;
        const method: Method = {
          ...approximateMethods.hyperattention,
          usualError: 0,
          attend(_backend, _problem, budget) {
            const output = exact.slice(), keyEvaluations = perQuery(budget) * n;
            for (const row of new RandomStream(seed, 999, perQuery(budget)).distinct(count, n)) {
              output[row] *= -1;
            }
            attempts++;
            return Promise.resolve({ output, logSumExp: logSumExp.slice(), keyEvaluations });
          },
        };
        const checkSeed = seed + 50, geometry = await headGeometry(backend, problem, checkSeed);
        const rows = new ExactRows(problem, geometry, checkSeed);
        const asked = { epsilon, delta, certify: "bound", checkSeed } as const;
        const may = { mostRows: 900, allowance: n ** 2, start };
        const settings = { ...asked, ...may, method, problem, geometry };
        const { held } = await attemptWithin(backend, settings, rows, {});
        const left = held?.output.reduce((sum, x, at) => sum + (x - exact[at]) ** 2, 0) ?? 0;
        return { held: held !== null, wrong: left > epsilon ** 2 * n, attempts };
      };
      let wrong = 0, confirmed = 0, several = 0;
      for (let seed = 0; seed < runs; seed++) {
        const far = await run(flipped, seed), close = await run(2, seed);
        if (far.wrong) wrong++;
        if (far.attempts > 1) several++;
        if (close.held) confirmed++;
      }
      assertLessOrEqual(clopperPearson(wrong, runs, 0.99).lower, delta, `${wrong} of ${runs} wrong`);
      assert(confirmed > 0.9 * runs, `${confirmed} of ${runs} small errors certified`);
      assert(several > runs / 10, `only ${several} of ${runs} had several attempts`);
    });
  });
}
