import { assertEquals, assertLess } from "@std/assert";
import { calibrated } from "../../../estimators/methods/calibrated/calibrated.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { routed } from "../../../estimators/methods/routed/routed.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { selfTest } from "../../../kernels/self_test.ts";
import { openAsGpu, webgpuTest } from "../../backends.ts";
import { checkAttend } from "../../attend.ts";
import { besideReference } from "../../beside_reference.ts";
import { normals } from "../../data.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

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

webgpuTest(
  "the keys of few queries are split among workgroups, and joined within the precision rule",
  async () => {
    const backend = await openAsGpu();
    // One split, two, many, and chunks of the values.
    for (
      const [heads, queries, keys, features, valueFeatures] of [[1, 60, 511, 8, 8], [2, 70, 530, 8, 8], [
        1,
        1,
        9000,
        8,
        132,
      ]]
    ) {
      const problem = {
        ...{ heads, queries, keys, features, valueFeatures, scale: 3 / Math.sqrt(features) },
        query: normals(1, heads * queries * features),
        key: normals(2, heads * keys * features),
        value: normals(3, heads * keys * valueFeatures),
      };
      await checkAttend(backend, problem, `${keys} keys`);
      const weights = normals(4, heads * keys, 2);
      // Whole splits are hidden, and all keys.
      const middle = weights.map((w, at) => at % keys > 200 && at % keys < 8500 ? -3e38 : w);
      await checkAttend(backend, { ...problem, logWeights: middle }, `${keys} keys, the middle hidden`);
      await checkAttend(backend, {
        ...problem,
        logWeights: weights.map(() => -3e38),
      }, `${keys} keys, all hidden`);
      // The last splits lie in the future of every query.
      await checkAttend(
        backend,
        { ...problem, causal: { period: queries, offset: 250 } },
        `${keys} keys, causal`,
      );
    }
    backend.destroy();
  },
);

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
