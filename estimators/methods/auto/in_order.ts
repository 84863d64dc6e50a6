import type { Backend } from "../../../kernels/backend.ts";
import type { CentredProblem } from "../../core/centred.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import { bringInRange } from "../../core/in_range.ts";
import type { Problem } from "../../core/problem.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import { isUseless, mostly, sumsOfHeads } from "../held_out.ts";
import { type Budget, perQuery, scaleBudget } from "../method.ts";
import { coveredSizes, coverVisible, groupRectangles, LEAF_BUDGETS, stackRectangles } from "../rectangles.ts";
import { planCausalTree } from "../tilted_tree/causal_plan.ts";
import { followsDirections, measureSpreads } from "../tilted_tree/causal_spread.ts";
import { attendByVariance, numbersInOrder, tiltedTree } from "../tilted_tree/tilted_tree.ts";
import { TrialFailed } from "../trial.ts";
import { type ApproximateAttention, attendVisible, runMethod } from "../visible.ts";
import { planAuto } from "./auto_plan.ts";
import { TRIED_ROWS } from "./every_key.ts";
import { improveHeads, ofLittleUse } from "./improve_heads.ts";

/** Where no budget is given, a tree in causal order gets the first of these multiples that does: rectangles would take far more on long sequences. */
const FACTORS = [1, 1.5, 2, 3];

/** The budget with which one tree a head pays in causal order; undefined where none does. */
export function budgetInOrder(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  given: boolean,
): Budget | undefined {
  // Told by sizes alone, which takes no time beside a short call.
  if (problem.causalOffset === undefined || !planAuto(problem, budget, given).budget) return undefined;
  const factors = given ? [1] : FACTORS;
  return factors.map((factor) => scaleBudget(budget, factor)).find((own) =>
    paysInOrder(backend, problem, own, given)
  );
}

/**
 * `auto` in causal order: one tree serves all queries of a head. How logits vary tells whether there is anything to find, and how much it takes; where it
 * leaves that open, a coreset of the largest rectangle that sees every key tells it first, at hardly any cost.
 */
export async function attendInOrder(
  backend: Backend,
  { problem, exact }: Pick<CentredProblem, "problem" | "exact">,
  budget: Budget,
  given: boolean,
  progress: Progress,
): Promise<ApproximateAttention> {
  if (given) return await runMethod(tiltedTree, backend, problem, budget, progress);
  const spreads = await measureSpreads(backend, bringInRange(problem), progress.signal);
  const exactly = async (spent: number, note?: string) => {
    const result = await attendVisible(backend, exact, progress);
    return { ...result, keyEvaluations: spent + result.keyEvaluations, note };
  };
  const follows = spreads.map(followsDirections),
    isMost = (wanted: boolean) => follows.filter((own) => own === wanted).length > follows.length / 2;
  if (isMost(false)) return await exactly(0, "exact: logits vary about alike in all directions");
  let tried = 0;
  if (!isMost(true)) {
    const trial = await tryRectangle(backend, problem, budget, progress);
    tried = trial?.keyEvaluations ?? 0;
    if (!trial || mostly(trial.heads, isUseless)) {
      return await exactly(tried, trial && `exact: ${ofLittleUse(trial.heads)}`);
    }
  }
  const tree = await attendByVariance(backend, problem, spreads, budget.seed, progress);
  const whole = { ...tree, keyEvaluations: tried + tree.keyEvaluations };
  const { result } = await improveHeads(backend, problem, exact, { name: "tilted-tree", result: whole });
  return { ...result, errors: result.heldOut && sumsOfHeads(problem, result.heldOut, result) };
}

/** Whether one tree a head pays in causal order: where it fits the device, and a coreset of the largest rectangle would pay as well. */
function paysInOrder(backend: Backend, problem: Problem, budget: Budget, given: boolean): boolean {
  if (problem.causalOffset === undefined || !tiltedTree.takesCausal!(problem, budget)) return false;
  const plan = planCausalTree(problem, perQuery(budget));
  if (!plan || !fitsDevice(backend, problem, numbersInOrder(problem, plan))) return false;
  const [largest] = coveredSizes(problem, LEAF_BUDGETS * perQuery(budget)).filter(({ triangular }) =>
    !triangular
  )
    .sort((a, b) => b.queries * b.keys - a.queries * a.keys);
  if (!largest) return false;
  const part = { ...problem, ...largest, causalOffset: undefined, logWeights: undefined };
  return planAuto(part, budget, given).budget !== undefined;
}

/** What rows held out tell of a coreset of the largest rectangle; undefined where none would pay. */
async function tryRectangle(
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress: Progress,
): Promise<TrialFailed | undefined> {
  const [largest] = groupRectangles(problem, coverVisible(problem, LEAF_BUDGETS * perQuery(budget)));
  const { problem: part } = stackRectangles(problem, largest),
    { budget: own, probes = 0 } = planAuto(part, budget, false);
  if (part.causalOffset !== undefined || !own || !fitsDevice(backend, part, probes + TRIED_ROWS)) {
    return undefined;
  }
  try {
    await calibrate(backend, part, own, progress, { rows: TRIED_ROWS, judge: () => "stop" });
  } catch (error) {
    backend.reset();
    if (error instanceof TrialFailed) return error;
    throw error;
  }
  return undefined;
}
