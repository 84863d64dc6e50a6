import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { hyperattention } from "../../../estimators/methods/hyperattention/hyperattention.ts";
import { kdeformerPractical } from "../../../estimators/methods/kdeformer_practical/kdeformer_practical.ts";
import type { Backend } from "../../../kernels/backend.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { attention, type AttentionOptions, type Tensor, tensor } from "../../../mod.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { Oracle } from "../../../proofs_checks/measures/oracle.ts";
import { relativeOutputError } from "../../../proofs_checks/measures/spectral.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

const budget = { bucketSize: 32, samples: 64, seed: 0 };

function problemOf(family: string, options: { n: number; queries?: number; seed?: number }): Problem {
  const { query, key, value, scale } = inputFamily(family).generate({ seed: 5, ...options });
  return makeProblem(query, key, value, { scale });
}

async function onWasm(body: (backend: Backend) => Promise<void>): Promise<void> {
  const backend = await openWasm();
  try {
    await body(backend);
  } finally {
    backend.destroy();
  }
}

onEachBackend("hyperattention() gives the reference's result, hashed or not", async (backend) => {
  // With one query for 900 keys a single hyperplane would cost more than all samples.
  for (const [n, queries] of [[800, 800], [500, 900], [900, 300], [900, 1]]) {
    for (const family of ["gaussian", "clustered"]) {
      const problem = problemOf(family, { n, queries });
      const actual = await hyperattention.attend(backend, problem, budget);
      backend.reset();
      const expected = await hyperattention.attend(new ReferenceBackend(), problem, budget);
      assertEquals(actual.keyEvaluations, expected.keyEvaluations);
      assertLess(largestDifference(actual.output, expected.output), 1e-4 * largestMagnitude(problem.value));
      assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-4);
    }
  }
});

Deno.test("hyperattention() keeps to its budget, hash included, and uses most of it", () =>
  onWasm(async (backend) => {
    for (const [n, queries] of [[700, 700], [700, 150], [300, 900], [900, 1], [3000, 3000]]) {
      for (const projections of [undefined, 24]) {
        for (const own of [budget, { bucketSize: 1, samples: 1, seed: 0 }]) {
          const problem = problemOf("gaussian", { n, queries });
          const { keyEvaluations } = await hyperattention.attend(backend, problem, { ...own, projections });
          backend.reset();
          assertLessOrEqual(keyEvaluations, queries * (own.bucketSize + own.samples));
          assertGreater(keyEvaluations, 0.9 * queries * own.samples);
        }
      }
    }
  }));

/** Ratios of masses D~_i/D_i, and the error of D~_i o~_i/D_i, of `samples` keys after the hash is paid for. */
async function massesOf(
  backend: Backend,
  oracle: Oracle,
  bucketSize: number,
  samples: number,
  seed: number,
): Promise<{ masses: Float64Array; products: Float64Array }> {
  const { problem, logRowSums, output: exact } = oracle, { valueFeatures } = problem;
  const own = { bucketSize, samples: samples + 4, projections: 2, seed };
  const { output, logSumExp } = await hyperattention.attend(backend, problem, own);
  backend.reset();
  const masses = logRowSums.map((right, i) => Math.exp(logSumExp[i] - right));
  const products = exact.map((right, at) => output[at] * masses[Math.floor(at / valueFeatures)] - right);
  return { masses, products };
}

Deno.test("hyperattention() has unbiased numerators and denominators", () =>
  onWasm(async (backend) => {
    const n = 256, seeds = 200, valueFeatures = 2;
    for (const family of ["gaussian", "low-rank", "clustered"]) {
      const oracle = new Oracle(inputFamily(family).generate({ n, seed: 1, valueFeatures }));
      // Means over rows: of the mass, and of each column of the product. A key of a block of n/4 that counted twice,
      // or a weight of n_rest/m on keys of which some are skipped, would move the mass by a quarter.
      const runs: number[][] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const { masses, products } = await massesOf(backend, oracle, n / 4, 32, seed);
        const meanOf = (x: Float64Array) => x.reduce((a, b) => a + b, 0) / n;
        const column = (c: number) => products.filter((_, at) => at % valueFeatures === c);
        runs.push([meanOf(masses) - 1, meanOf(column(0)), meanOf(column(1))]);
      }
      for (let what = 0; what < runs[0].length; what++) {
        const values = runs.map((run) => run[what]), mean = values.reduce((a, b) => a + b) / seeds;
        const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (seeds - 1);
        assertLess(Math.abs(mean), 4 * Math.sqrt(variance / seeds), `${family}, ${what}`);
        assertLess(Math.sqrt(variance / seeds), 0.02, "precise enough to tell");
      }
    }
  }));

Deno.test("hyperattention()'s masses vary by (n Σ P² − R²)/m, less what strata save", () =>
  onWasm(async (backend) => {
    const n = 400, bucketSize = 8, seeds = 60, rest = 1 - bucketSize / n;
    const oracle = new Oracle(inputFamily("gaussian").generate({ n, seed: 2, valueFeatures: 1 }));
    const squares = oracle.softmax.reduce((sum, p) => sum + p * p, 0) / n;
    for (const samples of [20, 40, 80, 160]) {
      let measured = 0;
      for (let seed = 0; seed < seeds; seed++) {
        const { masses } = await massesOf(backend, oracle, bucketSize, samples, seed);
        for (const mass of masses) measured += (mass - 1) ** 2 / n / seeds;
      }
      // Strata of n/m keys each, in no order that matters here: as drawing without putting back.
      const predicted = (n * rest * squares - rest ** 2) / samples * (1 - samples / n);
      assertLess(Math.abs(measured / predicted - 1), 0.15, `${samples} samples`);
    }
  }));

/** Errors of HyperAttention over those of the practical KDEformer with the same budget, draw by draw. */
async function errorRatios(backend: Backend, family: string, draws: number): Promise<number[]> {
  const ratios: number[] = [], both = { bucketSize: 64, samples: 128 };
  for (let seed = 0; seed < draws; seed++) {
    const problem = problemOf(family, { n: 2000, seed }), { outputShape: shape } = problem;
    const exact = (await exactAttention(backend, problem)).output;
    backend.reset();
    const errors: number[] = [];
    for (const method of [hyperattention, kdeformerPractical]) {
      const { output } = await method.attend(backend, problem, { ...both, seed });
      backend.reset();
      errors.push(relativeOutputError({ data: output, shape }, { data: exact, shape })[0]);
    }
    ratios.push(errors[0] / errors[1]);
  }
  return ratios;
}

Deno.test("hyperattention() errs no more than the practical KDEformer where all keys are alike, and far more where one is heavy for all", () =>
  onWasm(async (backend) => {
    const alike = await errorRatios(backend, "gaussian", 10);
    assertLess(Math.exp(alike.reduce((sum, x) => sum + Math.log(x) / alike.length, 0)), 1.05);
    const heavy = await errorRatios(backend, "sink-key", 5);
    assert(heavy.every((ratio) => ratio > 10), `${heavy}`);
  }));

onEachDevice(
  "hyperattention takes causal order and masks: hidden keys change no bit, and the error is no larger",
  async (device) => {
    const n = 600, width = 16;
    const [q, k, v] = [1, 2, 3].map((seed) => tensor(normals(seed, n * width, 0.5), [n, width]));
    const keyMask = Array.from({ length: n }, (_, j) => j % 5 < 4);
    const spoilt = ({ data, shape }: Tensor) =>
      tensor(data.map((x, at) => keyMask[Math.floor(at / width)] ? x : 7), shape);
    const run = async (hides: AttentionOptions, key = k, value = v) => {
      const common = { ...hides, ...budget, device };
      const { output, stats } = await attention(q, key, value, { ...common, method: "hyperattention" });
      assertEquals(stats.method, "hyperattention");
      const exact = (await attention(q, k, v, { ...common, method: "exact" })).output;
      return { output, error: relativeOutputError(output, exact)[0] };
    };
    const free = await run({}), hiding = await run({ causal: true, keyMask });
    const other = await run({ causal: true, keyMask }, spoilt(k), spoilt(v));
    assertEquals(other.output.data, hiding.output.data);
    assertLess(hiding.error, free.error);
  },
);
