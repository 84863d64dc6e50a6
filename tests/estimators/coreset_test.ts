import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { calibrateValues } from "../../estimators/attention/calibrate_values.ts";
import {
  clusterCoreset,
  coresetOutput,
  coresetProducts,
  coresetRows,
  type ProbedHead,
} from "../../estimators/attention/coreset.ts";
import { limitValues } from "../../estimators/attention/calibrated.ts";
import { exactAttention } from "../../estimators/attention/exact.ts";
import { bestMethod } from "../../estimators/attention/best_method.ts";
import { chooseProbes, leverages } from "../../estimators/attention/probe_queries.ts";
import { makeProblem } from "../../estimators/attention/problem.ts";
import { shrinkUseless } from "../../estimators/attention/shrink_useless.ts";
import { RandomStream } from "../../kernels/random.ts";
import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { tensor } from "../../kernels/tensor.ts";
import { normals } from "../data.ts";
import { largestDifference, sumOf } from "../precision.ts";

const PROBES = 30, KEYS = 80, FEATURES = 5, WIDTH = 3, SCALE = 0.4;

/** Exact rows of random queries over keys and values with mean 0. */
async function probedHead(): Promise<ProbedHead> {
  const query = normals(1, PROBES * FEATURES), key = centred(normals(2, KEYS * FEATURES), FEATURES);
  const value = centred(normals(3, KEYS * WIDTH), WIDTH), backend = new ReferenceBackend();
  const problem = makeProblem(
    tensor(query, [PROBES, FEATURES]),
    tensor(key, [KEYS, FEATURES]),
    tensor(value, [KEYS, WIDTH]),
    { scale: SCALE },
  );
  const { output, logSumExp } = await exactAttention(backend, problem);
  const shape = { heads: 1, queries: PROBES, keys: KEYS, features: FEATURES, scale: SCALE };
  const [probabilities] = await backend.run([
    backend.softmaxRows({ ...shape, query: backend.upload(query), key: backend.upload(key) }),
  ]);
  return {
    keys: KEYS,
    features: FEATURES,
    valueFeatures: WIDTH,
    scale: SCALE,
    query: Float64Array.from(query),
    probabilities: probabilities as Float32Array,
    output: Float64Array.from(output),
    logSumExp: Float64Array.from(logSumExp),
    key,
    keyMean: new Float32Array(FEATURES),
    value,
    valueMean: new Float32Array(WIDTH),
  };
}

function centred(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  const mean = Float64Array.from(
    { length: width },
    (_, c) => sumOf(rows.filter((_, at) => at % width === c)) / count,
  );
  return rows.map((x, at) => x - mean[at % width]);
}

const even = new Float64Array(PROBES).fill(1);
const outputOf = (head: ProbedHead, coreset: ReturnType<typeof clusterCoreset>) =>
  coresetOutput(coresetRows(coreset.products, coreset, head.scale), PROBES, coreset);

Deno.test("clusterCoreset() of single keys is attention itself", async () => {
  const head = await probedHead(), labels = Uint32Array.from({ length: KEYS }, (_, j) => j);
  const coreset = clusterCoreset(head, labels, KEYS, even);
  assertLess(largestDifference(coreset.bias, new Float64Array(KEYS)), 1e-5);
  assertLess(largestDifference(outputOf(head, coreset), head.output), 1e-5);
  const again = coresetProducts(head.query, PROBES, coreset);
  assertLess(largestDifference(again, coreset.products), 1e-12);
});

Deno.test("clusterCoreset() gives each key the mass that fits its column best", async () => {
  const head = await probedHead(), size = 7, omega = even.map((_, i) => i < 20 ? 1 : 0.05);
  const labels = Uint32Array.from({ length: KEYS }, (_, j) => j % size);
  const { key, bias, value } = clusterCoreset(head, labels, size, omega);
  const ratio = (i: number, s: number) => {
    let product = 0;
    for (let c = 0; c < FEATURES; c++) product += head.query[i * FEATURES + c] * key[s * FEATURES + c];
    return Math.exp(SCALE * product - head.logSumExp[i]);
  };
  for (let s = 0; s < size; s++) {
    let total = 0;
    const weighted = new Float64Array(WIDTH);
    for (let j = s; j < KEYS; j += size) {
      const mass = (power: number) =>
        sumOf(Float64Array.from(
          omega,
          (weight, i) =>
            weight * ratio(i, s) * (power === 1 ? head.probabilities[i * KEYS + j] : ratio(i, s)),
        ));
      const fitted = mass(1) / mass(2);
      total += fitted;
      for (let c = 0; c < WIDTH; c++) weighted[c] += fitted * head.value[j * WIDTH + c];
    }
    assertAlmostEquals(bias[s], Math.log(total), 1e-6);
    weighted.forEach((x, c) => assertAlmostEquals(value[s * WIDTH + c], x / total, 1e-6));
  }
});

Deno.test("calibrateValues() lowers the error where there is something to learn, and refuses noise", async () => {
  const head = await probedHead(), size = 4, labels = Uint32Array.from({ length: KEYS }, (_, j) => j % size);
  const plain = clusterCoreset(head, labels, size, even);
  // Outputs that other values at the same points give exactly.
  const truth = { ...plain, value: plain.value.map((z, at) => z + Math.cos(at)) };
  const learnable = { ...head, output: outputOf(head, truth) };
  const calibrated = calibrateValues(learnable, plain, even);
  assert(calibrated);
  const distance = (value: Float64Array) =>
    sumOf(outputOf(head, { ...plain, value }).map((x, at) => (x - learnable.output[at]) ** 2));
  assertLess(distance(calibrated), 0.1 * distance(plain.value));
  const prior = outputOf(head, plain);
  const noise = { ...head, output: prior.map((x, at) => x + (at % (2 * WIDTH) < WIDTH ? 1 : -1)) };
  assertEquals(calibrateValues(noise, plain, even), undefined);
});

Deno.test("shrinkUseless() leaves a fit alone that helps and shrinks one that does not", () => {
  const exact = Float64Array.of(1, 0, -1, 2, 0.5, 0.5);
  assertEquals(shrinkUseless(exact.map((x) => 1.4 * x), exact, 2), 1);
  assertAlmostEquals(shrinkUseless(exact.map((x) => 4 * x), exact, 2), 1 / 4, 1e-12);
  assertEquals(shrinkUseless(exact.map((x) => -x), exact, 2), 0);
  // Only its first row speaks for it.
  assertEquals(shrinkUseless(Float64Array.of(2, 0, 3, -6), Float64Array.of(2, 0, -1, 2), 2), 0);
  assertEquals(shrinkUseless(new Float64Array(4), new Float64Array(4), 2), 1);
});

Deno.test("chooseProbes() takes distinct rows, the outlying ones among them", () => {
  const count = 500, width = 4, rows = normals(4, count * width);
  for (const far of [17, 200, 499]) for (let c = 0; c < width; c++) rows[far * width + c] = 50 + far;
  const counts = { uniform: 40, outlying: 3, heldOut: 10 };
  const picks = chooseProbes(rows, count, width, counts, new RandomStream(1, 300));
  assertEquals(picks.length, 53);
  assertEquals(new Set(picks).size, 53);
  assertEquals([...picks.subarray(40, 43)], [499, 200, 17]);
  assertEquals(picks, chooseProbes(rows, count, width, counts, new RandomStream(1, 300)));
  // Σ over the rows of the leverages is count · features.
  assertAlmostEquals(sumOf(leverages(rows, count, width)), count * width, 1e-6 * count);
  assertEquals([...leverages(new Float32Array(12).fill(1e20), 3, 4)], [0, 0, 0]);
});

Deno.test("limitValues() keeps values with their mean within the range and moves no others", () => {
  const values = Float64Array.of(0, 0, 2, 9, -4, -3.5);
  limitValues(values, Float32Array.of(1, -2), 5);
  assertEquals([...values], [0, 0, 2, 7, -4, -3]);
});

Deno.test("bestMethod() calibrates where the budget pays for rows to fit to", () => {
  const problem = (queries: number, keys: number) =>
    makeProblem(
      tensor(new Float32Array(queries), [queries, 1]),
      tensor(new Float32Array(keys), [keys, 1]),
      tensor(new Float32Array(keys), [keys, 1]),
    );
  const budget = { bucketSize: 64, samples: 128, seed: 0 };
  const chosen = bestMethod(problem(4096, 4096), budget);
  assertEquals(chosen.name, "calibrated");
  assertGreater(budget.samples, chosen.budget.samples);
  assertEquals(bestMethod(problem(2048, 4096), budget), { name: "calibrated", budget });
  assertEquals(bestMethod(problem(100, 4096), budget), { name: "kdeformer-practical", budget });
});
