import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { approximateNames, generalNames } from "../../method_names.ts";
import { approximateMethods } from "../../../estimators/methods/methods.ts";
import { calibrate } from "../../../estimators/methods/calibrated/calibrated.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { attention, type AttentionOptions, type Tensor, tensor } from "../../../mod.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { relativeOutputError } from "../../../proofs_checks/measures/spectral.ts";
import { onEachBackend } from "../../backends.ts";
import { onEachDevice } from "../../devices.ts";

interface Input {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly scale: number;
}

function inputOf(family: string, n: number, factor = 1): Input {
  const { query, key, value, scale } = inputFamily(family).generate({
    n,
    seed: 4,
    features: 48,
    valueFeatures: 24,
  });
  return { query: tensor(query.data.map((x) => factor * x), query.shape), key, value, scale };
}

/** Heads side by side, of one scale. */
function side(inputs: readonly Input[]): Input {
  const all = (name: "query" | "key" | "value") => {
    const factor = (scale: number) => name === "query" ? scale / inputs[0].scale : 1;
    return tensor(
      Float32Array.from(inputs.flatMap((input) => [...input[name].data.map((x) => factor(input.scale) * x)])),
      [inputs.length, ...inputs[0][name].shape.slice(-2)],
    );
  };
  return { query: all("query"), key: all("key"), value: all("value"), scale: inputs[0].scale };
}

async function attend({ query, key, value, scale }: Input, options: AttentionOptions) {
  const run = (own: AttentionOptions) => attention(query, key, value, { scale, ...own });
  const { device, causal, keyMask } = options, result = await run(options);
  const exact = await run({ method: "exact", device, causal, keyMask });
  return { ...result, errors: relativeOutputError(result.output, exact.output) };
}

Deno.test("a tolerance is kept to by a coreset, a tree or exact attention, whichever does", async () => {
  const n = 8192, methods = new Set<string>();
  for (
    const [family, factor] of [["low-rank", 0.3], ["clustered", 1], ["gaussian", 1], [
      "permutation-softmax",
      1,
    ]] as const
  ) {
    for (const tolerance of [0.2, 0.05]) {
      const { stats, errors } = await attend(inputOf(family, n, factor), {
        tolerance,
        device: "wasm",
        seed: 3,
      });
      const { error, low, high, rows } = stats.target!;
      methods.add(stats.method);
      assertEquals(stats.target!.tolerance, tolerance);
      assert(
        error <= tolerance && low <= error && error <= high,
        `${family}: ${JSON.stringify(stats.target)}`,
      );
      // The estimate is one of some rows: it may be off, but not by much on these.
      assertLess(errors[0], 1.3 * tolerance, `${family}, ${tolerance}`);
      assertEquals(stats.method === "exact", error === 0);
      if (stats.method === "exact") continue;
      assertGreater(rows, 40);
      assertLess(stats.keyEvaluations, n * n / 3);
    }
  }
  assertEquals([...methods].sort(), ["calibrated", "exact", "tilted-tree"]);
});

Deno.test("each head keeps to a tolerance by itself, and stats tell the worst", async () => {
  const n = 8192,
    heads = side([inputOf("low-rank", n, 0.3), inputOf("clustered", n), inputOf("gaussian", n)]);
  const { stats, errors } = await attend(heads, { tolerance: 0.1, device: "wasm" });
  for (const error of errors) assertLess(error, 0.13);
  assertEquals(errors[2], 0);
  assertGreater(Math.max(...errors), 0.3 * stats.target!.error);
  for (const name of ["exact", "tilted-tree"]) assertStringIncludes(stats.fellBack!, name);
});

Deno.test("a tolerance holds under causal order and masks as well", async () => {
  const n = 6144,
    input = inputOf("low-rank", n, 0.3),
    keyMask = Array.from({ length: n }, (_, at) => at % 5 < 4);
  for (const options of [{ causal: true }, { keyMask }, { causal: true, keyMask }]) {
    const { stats, errors } = await attend(input, { ...options, tolerance: 0.1, device: "wasm" });
    assertLess(errors[0], 0.13);
    assert(stats.target!.error <= 0.1, JSON.stringify(stats.target));
  }
  const { stats } = await attend(input, { causal: true, tolerance: 0.1, device: "wasm" });
  assertEquals(stats.method, "tilted-tree");
  // Where there is nothing to find, the tree is given up at once.
  const nothing = await attend(inputOf("gaussian", n), { causal: true, tolerance: 0.05, device: "wasm" });
  assertEquals([nothing.stats.method, nothing.errors], ["exact", [0]]);
  assertLess(nothing.stats.keyEvaluations, 0.7 * n * n);
  // Too short for a tree.
  const short = await attend(inputOf("low-rank", 300, 0.3), { causal: true, tolerance: 0.1, device: "wasm" });
  assertEquals(short.stats.method, "exact");
});

Deno.test("auto in causal order takes a tree where there is something to find, and exact attention elsewhere", async () => {
  const n = 8192;
  const smooth = await attend(inputOf("low-rank", n, 0.3), { causal: true, device: "wasm" });
  assertEquals(smooth.stats.method, "tilted-tree");
  assertLess(smooth.errors[0], 0.1);
  assertLess(smooth.stats.keyEvaluations, n * n / 4);
  const nothing = await attend(inputOf("gaussian", n), { causal: true, device: "wasm" });
  assertEquals([nothing.stats.method, nothing.errors], ["exact", [0]]);
  assertLess(nothing.stats.keyEvaluations, 0.6 * n * n);
  const heads = side([
    inputOf("low-rank", n, 0.3),
    inputOf("low-rank", n, 0.25),
    inputOf("gaussian", n, 1.5),
  ]);
  const mixed = await attend(heads, { causal: true, device: "wasm" });
  assertStringIncludes(mixed.stats.fellBack!, "exact in 1 of 3 heads");
  assertEquals(mixed.errors[2], 0);
});

onEachDevice("where nothing pays, a tolerance gives exact attention", async (device) => {
  for (const n of [1, 70, 500]) {
    const { stats, errors } = await attend(inputOf("clustered", n), { tolerance: 0.5, device });
    assertEquals([stats.method, errors, stats.target?.error, stats.estimatedError], ["exact", [0], 0, 0]);
  }
});

onEachBackend("rows held out beside the budget of a coreset take nothing from it", async (backend) => {
  const { query, key, value, scale } = inputOf("low-rank", 900);
  const few = tensor(query.data.slice(0, 300 * 48), [1, 300, 48]),
    problem = makeProblem(few, key, value, { scale });
  const budget = { bucketSize: 30, samples: 60, seed: 1 };
  const plain = await calibrate(backend, problem, budget, {});
  backend.reset();
  // As many rows as would take more than all of the budget.
  const tried = await calibrate(backend, problem, budget, {}, { rows: 40, judge: () => "keep" });
  backend.reset();
  const rows = 40 - plain.heldOut![0].picks.length;
  assertEquals(tried.heldOut![0].picks.length, 40);
  assertLess(Math.abs(tried.keyEvaluations - plain.keyEvaluations - rows * 900), 0.3 * plain.keyEvaluations);
});

Deno.test("tolerance and budget refuse what would contradict them", async () => {
  const x = tensor([1, 2, 3, 4], [2, 2]);
  const refuses = async (options: object, message: string) => {
    const error = await assertRejects(() => attention(x, x, x, options));
    assert(error instanceof TypeError || error instanceof RangeError);
    assertStringIncludes(error.message, message);
  };
  await refuses({ tolerance: 0 }, "tolerance must lie between 0 and 1");
  await refuses({ tolerance: "0.1" }, "tolerance");
  await refuses({ tolerance: 0.1, epsilon: 0.1 }, "tolerance takes no epsilon: current value is 0.1");
  await refuses({ tolerance: 0.1, samples: 5 }, "tolerance takes no samples: current value is 5");
  await refuses(
    { tolerance: 0.1, method: "exact" },
    'tolerance takes method "auto": current value is "exact"',
  );
  await refuses({ budget: 1 }, "budget must be an integer from 2");
  await refuses({ budget: 50, bucketSize: 4 }, "budget takes no bucketSize: current value is 4");
  await refuses({ budget: 50, method: "exact" }, "exact has none");
  for (const method of approximateNames.filter((name) => !approximateMethods[name].withinBudget)) {
    await refuses({ budget: 50, method }, `${method} prepares beyond it`);
  }
});

Deno.test("a budget covers all that methods which take one evaluate", async () => {
  const n = 2048, { query, key, value, scale } = inputOf("clustered", n);
  const names = generalNames.filter((name) => approximateMethods[name].withinBudget);
  for (const method of ["auto" as const, ...names]) {
    for (const budget of [100, 301]) {
      const { stats } = await attention(query, key, value, { scale, method, budget, device: "wasm" });
      assert(stats.keyEvaluations <= budget * n, `${method}: ${stats.keyEvaluations / n} of ${budget}`);
    }
  }
});
