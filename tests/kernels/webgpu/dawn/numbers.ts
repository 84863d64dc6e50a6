// Run by dawn_test.ts with Dawn as this machine's WebGPU, beside the tests that all backends share. The shared tests
// of attention and bisection take minutes on an emulated adapter: these stand for them.
import { assertEquals } from "@std/assert";
import { selfTest } from "../../../../kernels/self_test.ts";
import { openWebGpu } from "../../../../kernels/webgpu/backend.ts";
import { checkAttend } from "../../../attend.ts";
import { webgpuTest } from "../../../backends.ts";
import { besideReference } from "../../../beside_reference.ts";
import { normals, wordsBelow } from "../../../data.ts";

const heads = 2, queries = 37, keys = 53, width = 15;

webgpuTest("every primitive passes the self test, and attend() is precise", async () => {
  // SwiftShader takes up to minutes to compile the kernel that keeps rows in registers, see validate_child.ts for it.
  const backend = await openWebGpu({ attendKernel: "tiles" });
  await selfTest(backend);
  const shape = { heads, queries, keys, features: width, valueFeatures: width, scale: width ** -0.5 };
  const query = normals(1, heads * queries * width), key = normals(2, heads * keys * width);
  const problem = { ...shape, query, key, value: normals(3, heads * keys * width) };
  await checkAttend(backend, problem, "every key");
  await checkAttend(backend, { ...problem, query: query.map((x) => 1e4 * x) }, "large logits");
  const exclude = { keyBlocks: wordsBelow(4, heads * keys, 5), blocks: 5 };
  await checkAttend(
    backend,
    { ...problem, exclude, logWeights: normals(5, heads * keys, 3) },
    "two rules",
  );
  backend.destroy();
});

webgpuTest("attend() with lanes that share rows is precise, where there are subgroups", async () => {
  const backend = await openWebGpu({ attendKernel: "subgroups" }), features = 18;
  const query = normals(1, heads * queries * features), key = normals(2, heads * keys * features);
  const shape = { heads, queries, keys, features, valueFeatures: features, scale: features ** -0.5 };
  const problem = { ...shape, query, key, value: normals(3, heads * keys * features) };
  await checkAttend(backend, problem, "every key");
  const logWeights = normals(5, heads * keys, 3).map((weight, at) => at % 3 === 0 ? -3e38 : weight);
  const causal = { period: queries, offset: 5 };
  await checkAttend(backend, { ...problem, logWeights, causal, blocks: 2 }, "weighted, causal, blocks");
  backend.destroy();
});

webgpuTest("bisectRows() gives the reference's clusters", async () => {
  const backend = await openWebGpu();
  const rows = normals(6, heads * keys * width), weights = normals(7, heads * keys).map((x) => 1e-3 + x ** 4);
  const shape = { heads, count: keys, width, grownOn: 20, budget: 16 * keys, perCluster: keys };
  const { actual, expected } = await besideReference(backend, (on) => {
    const bisection = on.bisectRows({ ...shape, rows: on.upload(rows), weights: on.upload(weights) });
    return [bisection.labels, bisection.clusters, bisection.products];
  });
  assertEquals(actual, expected);
  backend.destroy();
});
