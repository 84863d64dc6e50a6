import type { Backend } from "../../../kernels/backend.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import { type ErrorSums, isRough, isUseless, mostly } from "../held_out.ts";
import { type Budget, perQuery } from "../method.ts";
import { attendExactly } from "../run_heads.ts";
import { attendByTree, numbersOfTree } from "../tilted_tree/tilted_tree.ts";
import { type Trial, TrialFailed } from "../trial.ts";
import { planAuto, planOther } from "./auto_plan.ts";
import { type Answer, improveHeads, ROUGH, weigh } from "./improve_heads.ts";

/** Rows that tell whether a coreset is rough: fewer would send many good ones to a tree. They may take this share of a budget. */
export const TRIED_ROWS = 12;
const TRIED_SHARE = 0.1;
/**
 * A tree may take this share of the time of exact attention where the coreset is rough; where it is useless the tree is likely to be so
 * too, and may take no more than what a trial may.
 */
const MOST_TREE = 0.5, MOST_LAST_RESORT = 0.04;

/** What a trial may decide. */
export interface Leave {
  /** Whether all queries attend exactly where a trial looks useless, or the whole is given up. */
  readonly attendsExactly: boolean;
  /** The same problem as exact attention takes it. */
  readonly exactly: Problem;
}

/** Where every query sees every key: by a coreset, by a tree where that looks rough, exactly where both look useless, head by head. */
export async function attendEveryKey(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  { attendsExactly, exactly }: Leave,
  progress: Progress,
): Promise<Answer> {
  const { budget: own, probes = 0 } = planAuto(problem, budget, false);
  if (!own || !fitsDevice(backend, problem, probes)) {
    return { name: "calibrated", result: await attendExactly(backend, exactly, progress) };
  }
  // A part of what preparing the coreset leaves of a budget.
  const rows = Math.min(
    TRIED_ROWS,
    Math.floor(TRIED_SHARE * perQuery(budget) * problem.queries / problem.keys),
  );
  const planTree = (part: Problem, heads: readonly ErrorSums[]) => {
    const other = planOther(part, budget, 0, TRIED_ROWS);
    const most = mostly(heads, isUseless) ? MOST_LAST_RESORT : MOST_TREE;
    const fits = other && fitsDevice(backend, part, numbersOfTree(other.plan));
    return fits && other.total <= most ? other.plan : undefined;
  };
  const trial: Trial = {
    rows,
    judge: (heads) => {
      if (mostly(heads, (sums) => isRough(sums, ROUGH)) && planTree(problem, heads)) return "stop";
      if (!mostly(heads, isUseless)) return "keep";
      return attendsExactly ? "exact" : "stop";
    },
  };
  const coreset = async (part: Problem) => await calibrate(backend, part, own, progress);
  try {
    const result = await calibrate(backend, problem, own, progress, trial);
    return await improveHeads(backend, problem, exactly, { name: "calibrated", result }, {
      name: "tilted-tree",
      attend: async (part, sums) => {
        const plan = isRough(sums, ROUGH) ? planTree(part, [sums]) : undefined;
        return plan && await attendByTree(backend, part, plan, budget, progress);
      },
    });
  } catch (error) {
    if (!(error instanceof TrialFailed)) throw error;
    const { heads, keyEvaluations: spent } = error, plan = planTree(problem, heads);
    if (!plan) throw error;
    backend.reset();
    const tree = await attendByTree(backend, problem, plan, budget, progress);
    const result = { ...tree, keyEvaluations: spent + tree.keyEvaluations };
    return await improveHeads(backend, problem, exactly, { name: "tilted-tree", result }, {
      name: "calibrated",
      // The trial may have stopped before it came to a head.
      attend: async (part, sums, head) => {
        const better = heads[head] && weigh("calibrated", heads[head]) < weigh("tilted-tree", sums);
        return better ? await coreset(part) : undefined;
      },
    });
  }
}
