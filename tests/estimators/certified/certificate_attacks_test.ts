import { runJob } from "../../../kernels/device.ts";
import { purposeOfRound } from "../../../kernels/purposes.ts";
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { freshSeed } from "../../../estimators/certified/check_seed.ts";
import { certify } from "../../../estimators/certified/certify.ts";
import { headGeometry } from "../../../estimators/certified/head_geometry.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { RandomStream } from "../../../kernels/random.ts";
import { attention, openDevice, tensor } from "../../../mod.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { normals } from "../../data.ts";
import { float64Heads, headErrors } from "./float64_heads.ts";

/** Queries and keys of two kinds, each query looking to keys of its own: P has norm 1, rows of P V are ±1. */
function sharpProblem(n: number, heads = 1): Problem {
  const signs = Float32Array.from({ length: heads * n }, (_, at) => at % 2 ? 5 : -5);
  return makeProblem(
    tensor(signs, [heads, n, 1]),
    tensor(signs, [heads, n, 1]),
    tensor(signs.map(Math.sign), [heads, n, 1]),
    { scale: 1 },
  );
}

/** Turns `count` random rows of one head to the far side, the largest error that there can be. */
function flip(exact: Float32Array, n: number, count: number, seed: number, head = 0): Float32Array {
  const output = exact.slice();
  for (const row of new RandomStream(seed, 999).distinct(count, n)) output[head * n + row] *= -1;
  return output;
}

for (
  const { delta, heads } of [{ delta: 0.25, heads: 1 }, { delta: 0.1, heads: 1 }, { delta: 0.25, heads: 3 }]
) {
  Deno.test(`certify() is right as often as it says on errors just above epsilon: delta ${delta}, ${heads} heads`, async () => {
    const n = 1300, rows = 60, epsilon = 0.45, runs = 400;
    // ‖E‖ = 2 √flipped against epsilon √n, in one of the heads, and a few rows that the check may put right.
    const flipped = Math.floor(epsilon ** 2 * n / 4) + 4, few = Math.floor(flipped / 40);
    using device = await openDevice({ prefer: "wasm" });
    await runJob(device, async (backend) => {
      const problem = sharpProblem(n, heads), { output: exact } = await exactAttention(backend, problem);
      const geometry = await headGeometry(backend, problem, 1);
      let wrong = 0, confirmed = 0;
      for (let seed = 0; seed < runs; seed++) {
        const request = { epsilon, delta, rows, seed, round: 0, certify: "bound" } as const;
        const output = flip(exact, n, flipped, seed, seed % heads);
        const { certificate } = await certify(backend, problem, output, geometry, request);
        const left = output.reduce((sum, x, at) => sum + (x - exact[at]) ** 2, 0);
        if (certificate.holds && left > epsilon ** 2 * n) wrong++;
        const close = await certify(backend, problem, flip(exact, n, few, seed), geometry, request);
        if (close.certificate.holds) confirmed++;
      }
      assertLessOrEqual(clopperPearson(wrong, runs, 0.99).lower, delta, `${wrong} of ${runs} wrong`);
      // It is not silent: small errors are certified, and some large ones slip through as delta lets them.
      assert(confirmed > runs / 2, `${confirmed} of ${runs} small errors certified`);
      if (heads === 1) assert(wrong > 0);
    });
  });
}

Deno.test("an input made against the check of a known seed is caught by a fresh one", async () => {
  const n = 900, rows = 110, epsilon = 0.4, delta = 0.05;
  using device = await openDevice({ prefer: "wasm" });
  await runJob(device, async (backend) => {
    const problem = sharpProblem(n), { output: exact } = await exactAttention(backend, problem);
    const geometry = await headGeometry(backend, problem, 1), known = 0;
    const drawn = new Set(new RandomStream(known, purposeOfRound("certificateRows", 0), 0).distinct(rows, n));
    const spoilt = () => exact.map((x, row) => drawn.has(row) ? x : -x);
    const request = { epsilon, delta, rows, round: 0, certify: "bound" } as const;
    const check = async (seed: number) =>
      (await certify(backend, problem, spoilt(), geometry, { ...request, seed })).certificate.holds;
    assert(await check(known), "the attack works on the seed that it is made for");
    for (let run = 0; run < 20; run++) assert(!await check(freshSeed()));
  });
});

const n = 768;
const shape = [n, 16],
  small = { epsilon: 0.5, method: "calibrated", bucketSize: 16, samples: 32, device: "wasm" } as const;
const query = tensor(normals(11, n * 16), shape), key = tensor(normals(12, n * 16), shape);
const value = tensor(normals(13, n).map((x) => 2 + x), [n, 1]);

Deno.test("rows are checked by a fresh seed, which is reported and repeats the result", async () => {
  const first = await attention(query, key, value, small), second = await attention(query, key, value, small);
  const { certificate } = first;
  assertEquals([certificate?.kind, certificate?.holds, first.stats.seed], ["bound", true, 0]);
  assertNotEquals(certificate!.checkSeed, second.certificate!.checkSeed);
  const again = await attention(query, key, value, { ...small, checkSeed: certificate!.checkSeed! });
  assertEquals(again.output.data, first.output.data);
  assertEquals(again.certificate, certificate);
});

Deno.test("hidden needles are found, or attention is exact", async () => {
  for (let seed = 0; seed < 12; seed++) {
    const needles = { query: query.data.slice(), key: key.data.slice(), value: normals(seed, n) };
    const random = new RandomStream(seed, 998);
    for (let needle = 0; needle < 40; needle++) {
      const i = random.integer(n), j = random.integer(n);
      for (let c = 0; c < 16; c++) needles.query[i * 16 + c] = needles.key[j * 16 + c] = 4 * random.normal();
      needles.value[j] = 4;
    }
    const tensors = [
      tensor(needles.query, shape),
      tensor(needles.key, shape),
      tensor(needles.value, [n, 1]),
    ] as const;
    const { output, certificate } = await attention(...tensors, { ...small, delta: 1e-6, seed });
    const heads = float64Heads(...tensors), [error] = headErrors(output.data, heads, 1);
    assert(certificate!.holds);
    assertLessOrEqual(error, small.epsilon * heads[0].product);
  }
});

Deno.test("query heads that share a key head are certified one by one", async () => {
  // All queries of head 0 look to one key, so that ‖P‖ = √n; those of head 1 to all alike: ‖P‖ = 1.
  const n = 400, epsilon = 0.6, query = new Float32Array(2 * n).fill(30, 0, n);
  const key = Float32Array.from({ length: n }, (_, j) => j === 5 ? 1 : 0), value = normals(5, n);
  const problem = makeProblem(tensor(query, [2, n, 1]), tensor(key, [1, n, 1]), tensor(value, [1, n, 1]), {
    scale: 1,
  });
  using device = await openDevice({ prefer: "wasm" });
  await runJob(device, async (backend) => {
    const { output } = await exactAttention(backend, problem),
      geometry = await headGeometry(backend, problem, 3);
    assertEquals(geometry.length, 2);
    assert(geometry[0].softmaxNormEstimate > 10 && geometry[1].softmaxNormEstimate < 1.1);
    // Twice as far off as head 1 may be, and far less than head 0 may.
    const valueNorm = geometry[1].valueNorm, move = 2 * epsilon * valueNorm / Math.sqrt(n);
    const request = { epsilon, delta: 0.1, rows: 200, seed: 7, round: 0, certify: "bound" } as const;
    for (const [moved, expected] of [[1, false], [0, true]] as const) {
      const wrong = output.map((x, at) => Math.floor(at / n) === moved ? x + move : x);
      const { certificate, head } = await certify(backend, problem, wrong, geometry, request);
      assertEquals([certificate.holds, certificate.holds || head === moved], [expected, true]);
    }
  });
});

Deno.test("a row that is not finite is never certified", async () => {
  const n = 300, problem = sharpProblem(n, 2);
  using device = await openDevice({ prefer: "wasm" });
  await runJob(device, async (backend) => {
    const { output: exact } = await exactAttention(backend, problem);
    const geometry = await headGeometry(backend, problem, 1);
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (let seed = 0; seed < 20; seed++) {
        for (const certifying of ["bound", "estimate"] as const) {
          const output = exact.slice();
          output[n + seed * 7] = bad;
          const request = { epsilon: 0.9, delta: 0.5, rows: 100, seed, round: 0, certify: certifying };
          const { certificate, head } = await certify(backend, problem, output, geometry, request);
          assertEquals([certificate.holds, certificate.operatorNormBound, head], [false, Infinity, 1]);
        }
      }
    }
  });
});

Deno.test("an estimate says that it guarantees nothing", async () => {
  const { certificate } = await attention(query, key, value, { ...small, certify: "estimate" });
  assertEquals([certificate?.kind, certificate?.guaranteed], ["estimate", false]);
});
