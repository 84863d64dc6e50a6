import type { Backend } from "../../../kernels/backend.ts";
import { ofHead } from "../../core/of_head.ts";
import type { Problem } from "../../core/problem.ts";
import type { CostedAttention } from "../method.ts";
import type { HeadRun } from "../run_heads.ts";
import { heldOutRows, placeExactRows, probeHeads } from "../shared/probed_heads.ts";
import { attendToLists } from "./attend_lists.ts";
import { canonicalDirections } from "./canonical_directions.ts";
import { findClusters } from "./find_clusters.ts";
import type { TreePlan } from "./tree_plan.ts";

/** A run of heads by a tree of their keys, where every query sees every key. */
export async function tiltHeads(
  backend: Backend,
  problem: Problem,
  plan: TreePlan,
  seed: number,
  run: HeadRun,
  signal?: AbortSignal,
): Promise<CostedAttention> {
  const counts = { uniform: 0, outlying: 0, heldOut: plan.heldOut };
  const probed = probeHeads(backend, problem, counts, seed, run), { shape, queries, query } = probed;
  const { heads, features } = shape, first = run.first * queries * features;
  // The device computes these while the host looks for directions.
  const begun = backend.run([probed.exact.output, probed.exact.logSumExp, probed.valueMean], signal);
  const maps = Array.from({ length: heads }, (_, at) =>
    canonicalDirections(
      ofHead(problem.query, run.first + at, problem.heads),
      ofHead(problem.key, run.first + at, problem.heads),
      features,
      plan.directions,
    ));
  const [exactOutput, exactSums, meanValue] = await begun as Float32Array[];
  const queryRows = problem.query.subarray(first, first + heads * queries * features);
  const listed = { ...shape, query, queries, maps };
  const clusters = await findClusters(backend, listed, 1, () => queryRows, plan, signal);
  const attended = await attendToLists(backend, listed, clusters, plan.entries, signal);
  const [output, logSumExp] = await backend.run(
    [attended.output, attended.logSumExp],
    signal,
  ) as Float32Array[];
  const heldOut = heldOutRows(probed, plan.heldOut, { output, logSumExp }, meanValue);
  placeExactRows(probed, { output, logSumExp }, { output: exactOutput, logSumExp: exactSums });
  const keyEvaluations = Math.round(heads * plan.preparation + attended.evaluations);
  return { output, logSumExp, keyEvaluations, heldOut };
}
