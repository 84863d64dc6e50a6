import { assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { centre } from "../../../estimators/core/centred.ts";
import { exactAttention } from "../../../estimators/core/exact.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import { attendAuto } from "../../../estimators/methods/auto/auto.ts";
import { calibrate } from "../../../estimators/methods/calibrated/calibrated.ts";
import { relativeError, sumsOfHeads, totalOf } from "../../../estimators/methods/held_out.ts";
import { rowOverlap, SampledRows } from "../../../estimators/methods/shared/row_overlap.ts";
import { attendByTree } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
import { planTree } from "../../../estimators/methods/tilted_tree/tree_plan.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";
import { join, problemOf, trueError } from "./auto_problems.ts";

Deno.test("clusters are told from keys that are few, long, or far apart", () => {
  const families = { clustered: true, "near-hyperplane": true, gaussian: false, "norm-versus-angle": false };
  const others = {
    "huge-logits": false,
    "lognormal-logits": false,
    "hidden-directions": false,
    needle: false,
  };
  for (const [family, clusters] of Object.entries({ ...families, ...others, "permutation-softmax": false })) {
    for (const seed of [11, 12, 13]) {
      const { query, key, value, scale } = inputFamily(family).generate({ n: 2048, seed });
      const rows = new SampledRows(makeProblem(query, key, value, { scale }), 0);
      assertEquals(rows.looksToClusters(), clusters, `${family}, seed ${seed}`);
    }
  }
});

Deno.test("auto gives small budgets to routes on clusters alone, where a tree would err more", async () => {
  const backend = await openWasm(), n = 4096, clusters = problemOf("clustered", n);
  const flatter = { ...clusters, query: clusters.query.map((x) => 0.6 * x) };
  assertLess(rowOverlap(clusters, 0), 0.03);
  assertGreater(rowOverlap(flatter, 0), 0.1);
  assertLess(rowOverlap(flatter, 0), 0.25);
  const budgetOf = (evaluations: number) => ({ bucketSize: 12, samples: evaluations - 12, seed: 3 });
  const run = (problem: Problem, evaluations: number) =>
    attendAuto(backend, centre(backend, problem), budgetOf(evaluations), true);
  const nameOf = async (problem: Problem, evaluations: number) => (await run(problem, evaluations)).name;
  assertEquals(await nameOf(clusters, 96), "routed");
  assertEquals(await nameOf(clusters, 160), "tilted-tree");
  assertEquals(await nameOf(flatter, 96), "calibrated");
  assertEquals(await nameOf(flatter, 384), "tilted-tree");
  // Seeing that clusters lie apart may not take what a coreset needs.
  assertEquals(await nameOf(clusters, 16), "calibrated");
  const { output: exact } = await exactAttention(backend, clusters);
  for (const evaluations of [32, 96]) {
    const found = await run(clusters, evaluations),
      { output, keyEvaluations } = found,
      heldOut = found.heldOut!;
    assertLess(keyEvaluations, evaluations * n);
    const coreset = await calibrate(backend, clusters, budgetOf(evaluations), {});
    assertLess(trueError(output, exact), 0.7 * trueError(coreset.output, exact));
    if (evaluations < 96) continue;
    const tree = await attendByTree(
      backend,
      clusters,
      planTree(clusters, evaluations)!,
      budgetOf(evaluations),
    );
    assertLess(trueError(output, exact), 0.9 * trueError(tree.output, exact));
    // Four rows held out tell the error to a factor of two, and stand in the output as they are.
    const [{ picks }] = heldOut, { valueFeatures } = clusters;
    assertEquals(picks.length, 4);
    const told = relativeError(totalOf(sumsOfHeads(clusters, heldOut, found)));
    assertGreater(told, trueError(output, exact) / 2.5);
    assertLess(told, 2.5 * trueError(output, exact));
    for (const pick of picks) {
      const row = (data: Float32Array) => data.slice(pick * valueFeatures, (pick + 1) * valueFeatures);
      assertLess(trueError(row(output), row(exact)), 1e-5);
    }
  }
  const both = await run(join([clusters, flatter]), 96);
  assertStringIncludes(both.note!, "routed in 1 of 2 heads, whose queries look to keys of their own");
  backend.destroy();
});
