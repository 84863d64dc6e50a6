import { attendClustered } from "../../estimators/methods/rivals/muse/attend_clustered.ts";
import type { MusePlan } from "../../estimators/methods/rivals/muse/muse_plan.ts";
import { runHead } from "./run_head.ts";
import type { Setting } from "../errors/rivals.ts";
import type { Rerun } from "./rerun.ts";

/** MuSe with as many clusters of each kind, by k-means of all rows or of some of them. */
export function rerunMuse({ options }: Setting): Rerun {
  const number = (pattern: RegExp) => pattern.test(options) ? Number(pattern.exec(options)![1]) : undefined;
  const plan: MusePlan = {
    keyClusters: number(/(\d+) key clusters/)!,
    queryClusters: number(/(\d+) query clusters/)!,
    rounds: number(/(\d+) rounds/)!,
    sampled: number(/k-means of (\d+) rows/),
    dipole: options.includes("with dipole"),
  };
  return {
    random: true,
    seeds: plan.dipole ? 5 : undefined,
    run: (backend, problem, seed) =>
      runHead(backend, problem, (head) => attendClustered(backend, head, problem, plan, seed)),
  };
}
