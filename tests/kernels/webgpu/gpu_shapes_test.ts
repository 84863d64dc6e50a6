import { assertEquals, assertLess } from "@std/assert";
import { calibrated } from "../../../estimators/methods/calibrated/calibrated.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { routed } from "../../../estimators/methods/routed/routed.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { describeAdapter, requestAdapter, requestDevice } from "../../../kernels/webgpu/engine/adapter.ts";
import { WebGpuBackend } from "../../../kernels/webgpu/backend.ts";
import { SUBGROUPS } from "../../../kernels/webgpu/engine/subgroups.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { selfTest } from "../../../kernels/self_test.ts";
import { webgpuTest } from "../../backends.ts";
import { besideReference } from "../../beside_reference.ts";
import { normals } from "../../data.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

/** What answers here, taken for a GPU. */
async function openAsGpu(): Promise<WebGpuBackend> {
  const adapter = await requestAdapter(), description = describeAdapter(adapter);
  // Dawn has subgroups, Deno has none.
  const features = adapter.features.has(SUBGROUPS) ? [SUBGROUPS] : [], subgroups = features.length > 0;
  const device = await requestDevice(adapter, features);
  return new WebGpuBackend(device, { ...description, software: false }, { subgroups });
}

webgpuTest("the shapes of workgroups and tiles that GPUs get give the reference's results", async () => {
  const backend = await openAsGpu();
  const reference = new ReferenceBackend();
  const { query, key, value, scale } = inputFamily("low-rank").generate({ seed: 5, n: 800 });
  const problem = makeProblem(query, key, value, { scale });
  for (
    // One point; clusters; clusters and a linear function; leaves of a tree.
    const [method, perQuery] of [[calibrated, 12], [calibrated, 64], [calibrated, 96], [routed, 48]] as const
  ) {
    const budget = { bucketSize: perQuery / 4, samples: 3 * perQuery / 4, seed: 3 };
    const actual = await method.attend(backend, problem, budget);
    backend.reset();
    const expected = await method.attend(reference, problem, budget);
    assertEquals(actual.keyEvaluations, expected.keyEvaluations);
    assertLess(largestDifference(actual.output, expected.output), 1e-4 * largestMagnitude(problem.value));
    assertLess(largestDifference(actual.logSumExp, expected.logSumExp), 1e-3);
  }
  backend.destroy();
});

webgpuTest("the shapes that GPUs get grow the reference's trees, and pass every self test", async () => {
  const backend = await openAsGpu(), width = 11;
  for (const [heads, count] of [[3, 129], [2, 700], [1, 3000]]) {
    const rows = normals(6, heads * count * width);
    const { actual, expected } = await besideReference(backend, (on) => {
      const { order, rows: ordered, cuts } = on.growTree({ rows: on.upload(rows), heads, count, width });
      return [order, ordered, cuts];
    });
    assertEquals(actual, expected);
  }
  await selfTest(backend);
  backend.destroy();
});
