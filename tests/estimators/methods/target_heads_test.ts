import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { headOf } from "../../../estimators/methods/shared/some_heads.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { operatorError } from "../../../estimators/methods/error_sample.ts";
import { sumsOfHeads } from "../../../estimators/methods/held_out.ts";
import { attendToTarget, planTarget } from "../../../estimators/methods/tilted_tree/tilted_tree.ts";
import { openWasm } from "../../../kernels/wasm/backend.ts";
import { inputFamily } from "../../../proofs_checks/inputs/families.ts";

/** A tree for a tolerance on WebAssembly, and how long all lists were that it summed. */
async function attend(tolerance: number) {
  const { query, key, value, scale } = inputFamily("clustered").generate({
    n: 5000,
    seed: 3,
    features: 40,
    valueFeatures: 20,
  });
  const problem = headOf(makeProblem(query, key, value, { scale }), 0),
    target = planTarget(problem, tolerance);
  const backend = await openWasm(), summed: number[] = [], { sumLists } = backend;
  try {
    Object.assign(backend, {
      sumLists: (args: Parameters<typeof sumLists>[0]) => {
        summed.push(args.most);
        return sumLists.call(backend, args);
      },
    });
    const result = await attendToTarget(backend, problem, target!, 5, {});
    const [sums] = sumsOfHeads(problem, result.heldOut!, result);
    return { summed, error: operatorError(sums.sample!).error };
  } finally {
    backend.destroy();
  }
}

Deno.test("lists are the longer the less error is asked for, from the first on", async () => {
  const loose = await attend(0.15), strict = await attend(0.04);
  assertGreater(strict.summed[0], 1.5 * loose.summed[0]);
  assertLess(loose.error, 0.15);
  assertLess(strict.error, 0.04);
  for (const { summed } of [loose, strict]) {
    assert(summed.every((length, at) => at === 0 || length > summed[at - 1]), summed.join());
  }
  assertEquals((await attend(0.04)).summed, strict.summed);
});
