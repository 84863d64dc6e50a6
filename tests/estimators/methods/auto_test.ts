import { centre } from "../../../estimators/core/centred.ts";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { attendAuto } from "../../../estimators/methods/auto/auto.ts";
import { planAuto } from "../../../estimators/methods/auto/auto_plan.ts";
import { rowOverlap } from "../../../estimators/methods/shared/row_overlap.ts";
import { calibrate } from "../../../estimators/methods/calibrated/calibrated.ts";
import { isUseless, relativeError, totalOf } from "../../../estimators/methods/held_out.ts";
import { type Trial, TrialFailed } from "../../../estimators/methods/trial.ts";
import { attendTolerantly } from "../../../estimators/methods/tolerant/tolerant.ts";
import { approximateAttention } from "../../../estimators/methods/visible.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { attention, type MethodName, methods, tensor } from "../../../mod.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { join, problemOf, trueError } from "./auto_problems.ts";
import { largestDifference } from "../../precision.ts";

const budget = { bucketSize: 64, samples: 128, seed: 2 }, small = { bucketSize: 20, samples: 60, seed: 2 };

/** Sizes alone: no plan looks at a value. */
function sized(heads: number, queries: number, keys: number, features = 64): Problem {
  const row = new Float32Array(features),
    one = makeProblem(
      ...([row, row, row].map((x) => tensor(x, [1, features])) as [
        ReturnType<typeof tensor>,
        ReturnType<typeof tensor>,
        ReturnType<typeof tensor>,
      ]),
    );
  return { ...one, heads, queries, keys, period: queries };
}

Deno.test("planAuto() approximates large problems, and attends exactly where few queries or keys repay no preparation", () => {
  const approximates = (problem: Problem, given = false, keys = budget) =>
    planAuto(problem, keys, given).budget !== undefined;
  for (
    const [heads, queries, keys] of [[1, 4096, 4096], [8, 4096, 4096], [1, 4096, 20000], [1, 16384, 16384]]
  ) {
    assert(approximates(sized(heads, queries, keys)), `${heads} × ${queries} × ${keys}`);
  }
  for (const queries of [1, 4, 17, 32, 64, 300]) {
    for (const keys of [64, 1000, 4096, 16384]) {
      assert(!approximates(sized(1, queries, keys)), `${queries} × ${keys}`);
    }
  }
  for (const keys of [1, 64, 300, 383]) assert(!approximates(sized(1, 10000, keys), true), `${keys} keys`);
  for (const queries of [1, 5, 60]) {
    assert(!approximates(sized(1, queries, 10 ** 6), true), `${queries} queries`);
  }
  // Where a budget is asked for nothing is tried first, and less must be saved.
  assert(!approximates(sized(1, 1024, 1024)) && approximates(sized(1, 1024, 1024), true));
  assert(!approximates(sized(1, 4096, 4096), true, { ...budget, samples: 2 ** 30 }));
});

Deno.test("planAuto() takes a longer sequence if it takes a shorter one", () => {
  for (const features of [4, 16, 64, 256]) {
    const plans = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768].map((n) =>
      planAuto(sized(1, n, n, features), budget, false).total
    );
    plans.forEach((total, at) => assert(at === 0 || total <= plans[at - 1], `${features}: ${plans}`));
    assertLess(plans[plans.length - 1], 0.2);
  }
});

onEachDevice("auto decodes exactly: few queries, many keys", async (device) => {
  const [k, v] = [2, 3].map((seed) => tensor(normals(seed, 2 * 1500 * 12), [2, 1500, 12]));
  for (const queries of [1, 3, 40]) {
    const q = tensor(normals(1, 2 * queries * 12, 2), [2, queries, 12]);
    const { output, stats } = await attention(q, k, v, { device });
    assertEquals(output.data, (await attention(q, k, v, { method: "exact", device })).output.data);
    assertEquals([stats.method, stats.keyEvaluations], ["exact", 2 * queries * 1500]);
    assertEquals([stats.estimatedError, stats.heldOutRows, stats.warning], [0, 0, null]);
  }
});

onEachDevice("auto decides by the keys that masks leave, and padding changes nothing", async (device) => {
  const real = [170, 90], padded = 1000, width = 6;
  const data = [1, 2, 3].map((seed) => normals(seed, 2 * padded * width, 1.5));
  const keyMask = Array.from({ length: 2 * padded }, (_, at) => at % padded < real[Math.floor(at / padded)]);
  const tensors = data.map((x) => tensor(x, [2, padded, width]));
  const { output, stats } = await attention(tensors[0], tensors[1], tensors[2], { keyMask, device });
  assertEquals(stats.method, "exact");
  assertEquals(stats.keyEvaluations, padded * (real[0] + real[1]));
  for (const head of [0, 1]) {
    const part = (x: Float32Array, rows: number) =>
      tensor(x.slice(head * padded * width, (head * padded + rows) * width), [rows, width]);
    const alone = await attention(
      part(data[0], padded),
      part(data[1], real[head]),
      part(data[2], real[head]),
      {
        method: "exact",
        device,
      },
    );
    assertLess(largestDifference(part(output.data, padded).data, alone.output.data), 2e-6);
  }
});

onEachBackend("a trial that fails leaves exact attention, or nothing", async (backend) => {
  const unlessUseless = (otherwise: "exact" | "stop"): Trial => ({
    judge: ([sums]) => isUseless(sums) ? otherwise : "keep",
  });
  const copying = problemOf("permutation-softmax", 600), exact = await exactAttention(backend, copying);
  const found = await calibrate(backend, copying, small, {}, unlessUseless("exact"));
  backend.reset();
  assertEquals(found.exact, true);
  assertEquals(found.output, exact.output);
  // What the trial took comes on top.
  assertGreater(found.keyEvaluations, 600 ** 2 + 600 * 20);
  const error = await assertRejects(
    () => calibrate(backend, copying, small, {}, unlessUseless("stop")),
    TrialFailed,
  );
  assertEquals(error.keyEvaluations, found.keyEvaluations - 600 ** 2);
  backend.reset();
  const smooth = problemOf("low-rank", 600);
  const tried = await calibrate(backend, smooth, small, {}, unlessUseless("exact"));
  backend.reset();
  assertEquals(tried.exact, false);
  const plain = await calibrate(backend, smooth, small, {});
  backend.reset();
  assertEquals([tried.output, tried.keyEvaluations], [plain.output, plain.keyEvaluations]);
});

Deno.test("auto tries large heads, and attends exactly to those alone that it is of no use to", async () => {
  const backend = await openWasm();
  const n = 2816, [smooth, other] = [problemOf("low-rank", n), problemOf("low-rank", n, { seed: 8 })];
  const copying = problemOf("permutation-softmax", n), scale = copying.scale;
  const mixed = join([smooth, { ...copying, scale }, other]);
  const { output, errors, note, exact } = await attendAuto(backend, centre(backend, mixed), budget, false);
  const right = (await exactAttention(backend, mixed)).output, size = n * mixed.valueFeatures;
  backend.reset();
  assertEquals(exact, false);
  assertStringIncludes(note!, "exact in 1 of 3 heads");
  assertEquals(output.subarray(size, 2 * size), right.subarray(size, 2 * size));
  assertEquals(errors!.map(({ error }) => error > 0), [true, false, true]);
  for (const head of [0, 2]) {
    const part = (data: Float32Array) => data.subarray(head * size, (head + 1) * size);
    const error = trueError(part(output), part(right));
    assert(error > 0 && error < 0.6, `${error}`);
  }
  for (const causal of [false, true]) {
    const alone = problemOf("permutation-softmax", n, { causal });
    const found = await attendAuto(backend, centre(backend, alone), budget, false),
      all = await exactAttention(backend, alone);
    backend.reset();
    assertEquals([found.exact, found.output], [true, all.output]);
    assert(causal || found.note!.startsWith("exact: approximating would be of little use"));
  }
  backend.destroy();
});

Deno.test("auto takes a tree of the keys where a coreset is rough, head by head, and keeps to a budget that was given", async () => {
  const backend = await openWasm(), n = 4096;
  const clusters = problemOf("clustered", n), other = problemOf("low-rank", n);
  const smooth = { ...other, query: other.query.map((x) => 0.3 * x), scale: clusters.scale };
  for (const given of [false, true]) {
    const alone = await attendAuto(backend, centre(backend, clusters), budget, given);
    const coreset = await calibrate(backend, clusters, budget, {}),
      { output: exact } = await exactAttention(backend, clusters);
    backend.reset();
    assertEquals([alone.name, alone.exact], ["tilted-tree", false]);
    assertLess(trueError(alone.output, exact), 0.7 * trueError(coreset.output, exact));
    if (given) assertLess(alone.keyEvaluations, n * 192);
  }
  const both = await attendAuto(backend, centre(backend, join([smooth, smooth, clusters])), budget, false);
  assertEquals(both.name, "calibrated");
  assertStringIncludes(both.note!, "tilted-tree in 1 of 3 heads");
  const first = await attendAuto(backend, centre(backend, join([clusters, clusters, smooth])), budget, false);
  assertEquals(first.name, "tilted-tree");
  backend.destroy();
});

Deno.test("auto spends a budget that was given on one method a head: a tree where queries look to keys of their own", async () => {
  const backend = await openWasm(),
    n = 4096,
    clusters = problemOf("clustered", n),
    other = problemOf("low-rank", n);
  const smooth = { ...other, query: other.query.map((x) => 0.3 * x), scale: clusters.scale };
  assertLess(rowOverlap(clusters, 0), 0.1);
  assertGreater(rowOverlap(smooth, 0), 0.4);
  const problem = join([smooth, clusters, smooth]);
  assertEquals(rowOverlap(problem, 1), rowOverlap(clusters, 0));
  const run = (problem: Problem) => attendAuto(backend, centre(backend, problem), budget, true);
  const [mixed, sharp, even] = [await run(problem), await run(clusters), await run(smooth)];
  assertEquals([mixed, sharp, even].map(({ name }) => name), ["calibrated", "tilted-tree", "calibrated"]);
  assertStringIncludes(mixed.note!, "tilted-tree in 1 of 3 heads");
  for (const [{ keyEvaluations }, heads] of [[mixed, 3], [sharp, 1], [even, 1]] as const) {
    assertLess(keyEvaluations, heads * n * 192);
    assertGreater(keyEvaluations, 0.97 * heads * n * 192);
  }
  const { output: exact } = await exactAttention(backend, problem), size = exact.length / 3;
  for (const head of [0, 1, 2]) {
    const own = (data: Float32Array) => data.subarray(head * size, (head + 1) * size);
    assertLess(trueError(own(mixed.output), own(exact)), 0.15, `head ${head}`);
  }
  backend.destroy();
});

Deno.test("heads that do not fit the device together are tried one after the other, and each gets its method", async () => {
  const backend = await openWasm(), n = 4096, clusters = problemOf("clustered", n);
  // Room for one head at a time, with what a tree keeps of it.
  Object.defineProperty(backend, "largestArrayBytes", { value: 4 * n * 80 });
  const problem = join([clusters, { ...problemOf("clustered", n, { seed: 5 }), scale: clusters.scale }]);
  const exact = await exactAttention(backend, problem);
  const result = await attendAuto(backend, centre(backend, problem), budget, false);
  assertEquals(result.name, "tilted-tree");
  assertLess(trueError(result.output, exact.output), 0.1);
  const kept = await attendTolerantly(backend, centre(backend, problem), { tolerance: 0.5, seed: 0 });
  assertLess(trueError(kept.output, exact.output), 0.9);
  backend.destroy();
});

/** The median over seeds of the estimated error over the true one. */
async function medianRatio(problem: Problem, given: typeof small): Promise<number> {
  const backend = await openWasm(), ratios: number[] = [];
  try {
    const { output: exact } = await exactAttention(backend, problem);
    for (let seed = 1; seed <= 15; seed++) {
      const attend: Parameters<typeof approximateAttention>[0] = (backend, part, own, progress = {}) =>
        calibrate(backend, part, own, progress);
      const { output, errors } = await approximateAttention(attend, backend, problem, { ...given, seed });
      backend.reset();
      ratios.push(relativeError(totalOf(errors!)) / trueError(output, exact));
    }
  } finally {
    backend.destroy();
  }
  return ratios.sort((a, b) => a - b)[7];
}

for (const family of ["gaussian", "low-rank", "permutation-softmax", "clustered"]) {
  Deno.test(`rows held out tell the error on ${family}`, async () => {
    const problem = problemOf(family, 640),
      keyMask = Float32Array.from(problem.value.subarray(0, 640), (_, j) => j % 3 ? 0 : -3e38);
    const few = { bucketSize: 6, samples: 12, seed: 0 };
    for (
      const [what, asked, given] of [
        ["every key", problem, small],
        ["one point", problem, few],
        ["a mask", { ...problem, logWeights: keyMask }, small],
        ["causal order", problemOf(family, 640, { causal: true }), small],
      ] as const
    ) {
      const ratio = await medianRatio(asked, given);
      assert(ratio > 0.6 && ratio < 1.6, `${what}: ${ratio}`);
    }
  });
}

onEachDevice("a budget that was given is kept, and a useless answer is said to be one", async (device) => {
  const { query, key, value, scale } = inputFamily("permutation-softmax").generate({
    n: 900,
    seed: 5,
    features: 64,
  });
  const run = (options: object) => attention(query, key, value, { scale, device, ...options });
  const { stats, output } = await run({ bucketSize: 20, samples: 40 });
  assertEquals([stats.method, stats.fellBack], ["calibrated", null]);
  assertLess(stats.keyEvaluations, 60 * 900);
  assertGreater(stats.heldOutRows, 5);
  const error = trueError(output.data, (await run({ method: "exact" })).output.data);
  assertGreater(error, 0.9);
  assertLess(Math.abs(stats.estimatedError! - error), 0.2);
  assertStringIncludes(stats.warning!, "calibrated is of little use");
  // Without a budget it is exact at this size.
  assertEquals((await run({})).stats.method, "exact");
  // Where rows agree there is nothing to warn of, however near the mean value comes.
  const flat = tensor(key.data.map((x) => x * 1e-4), key.shape);
  const even = await attention(query, flat, value, { scale, device, bucketSize: 30, samples: 60 });
  assertEquals(even.stats.warning, null);
  assertLess(even.stats.estimatedError!, 0.05);
});

onEachDevice("a budget that covers every visible key makes every method exact", async (device) => {
  const [q, k, v] = [1, 2, 3].map((seed) => tensor(normals(seed, 120 * 5), [120, 5]));
  const keyMask = Array.from({ length: 120 }, (_, at) => at % 4 === 0);
  for (const options of [{}, { keyMask }]) {
    const exact = await attention(q, k, v, { ...options, method: "exact", device });
    for (const method of methods.filter((method): method is MethodName => method !== "kdeformer")) {
      const { output, stats } = await attention(q, k, v, {
        ...options,
        method,
        bucketSize: 2 ** 30,
        samples: 2 ** 30,
        device,
      });
      assertEquals(stats.method, "exact", method);
      assertLess(largestDifference(output.data, exact.output.data), 2e-6);
    }
  }
});

Deno.test("auto leaves heads that no array holds to exact attention, which cuts them", async () => {
  class Narrow extends ReferenceBackend {
    override readonly largestArrayBytes: number = 4 * 700 * 48;
  }
  const problem = problemOf("low-rank", 1024), backend = new Narrow();
  const { exact, output } = await attendAuto(backend, centre(backend, problem), small, true);
  assertEquals(exact, true);
  assertLess(largestDifference(output, (await exactAttention(new ReferenceBackend(), problem)).output), 1e-6);
});
