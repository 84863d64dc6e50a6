import type { Backend } from "../../../kernels/backend.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import type { HeldOutRows } from "../held_out.ts";
import type { Budget, CostedAttention } from "../method.ts";
import { attendExactly } from "../run_heads.ts";
import { headsOf } from "../shared/some_heads.ts";
import { attendByTree, numbersOfTree } from "../tilted_tree/tilted_tree.ts";
import { planAuto, planOther } from "./auto_plan.ts";
import type { Answer } from "./improve_heads.ts";
import { costOfOverlap, rowOverlap, SHARP } from "./row_overlap.ts";

/** A tree may take this share of the time of exact attention. */
const MOST_TREE = 0.9;
/** Rows that tell the error of a tree. */
const HELD_OUT = 12;

/**
 * Where a budget was given: all of it for a tree in heads whose queries look to keys of their own, where it pays for one, and for a coreset in the others.
 *
 * @param exactly The same problem as exact attention takes it.
 */
export async function attendWithinBudget(
  backend: Backend,
  problem: Problem,
  exactly: Problem,
  budget: Budget,
  progress: Progress,
): Promise<Answer> {
  const { budget: own, probes = 0 } = planAuto(problem, budget, true);
  if (!own || !fitsDevice(backend, problem, probes)) {
    return { name: "calibrated", result: await attendExactly(backend, exactly, progress) };
  }
  const { heads, queries, features, valueFeatures } = problem;
  const looked = costOfOverlap(problem) / (features + valueFeatures);
  const other = planOther(problem, budget, looked, HELD_OUT);
  const mayPlant = other !== undefined && other.total <= MOST_TREE &&
    fitsDevice(backend, problem, numbersOfTree(other.plan));
  const isSharp = Array.from({ length: heads }, (_, head) => mayPlant && rowOverlap(problem, head) < SHARP);
  const spent = mayPlant ? heads * Math.round(looked) : 0;
  const headsWhere = (sharp: boolean) => [...isSharp.keys()].filter((head) => isSharp[head] === sharp);
  const sharp = headsWhere(true), even = headsWhere(false);
  const answer = async (which: readonly number[]) => {
    const part = headsOf(problem, which);
    return which === sharp
      ? await attendByTree(backend, part, other!.plan, budget, progress)
      : await calibrate(backend, part, mayPlant ? shortened(own, looked / queries) : own, progress);
  };
  const name = sharp.length > even.length ? "tilted-tree" : "calibrated";
  if (sharp.length === 0 || even.length === 0) {
    const result = await answer(sharp.length > 0 ? sharp : even);
    return { name, result: { ...result, keyEvaluations: spent + result.keyEvaluations } };
  }
  const output = new Float32Array(heads * queries * valueFeatures),
    logSumExp = new Float32Array(heads * queries);
  const heldOut: HeldOutRows[] = [];
  let keyEvaluations = spent;
  for (const which of [sharp, even]) {
    const result: CostedAttention = await answer(which);
    keyEvaluations += result.keyEvaluations;
    which.forEach((head, at) => {
      const place = (from: Float32Array, to: Float32Array) =>
        to.set(from.subarray(at * to.length / heads, (at + 1) * to.length / heads), head * to.length / heads);
      place(result.output, output);
      place(result.logSumExp, logSumExp);
      heldOut[head] = result.heldOut![at];
    });
  }
  const note = `tilted-tree in ${sharp.length} of ${heads} heads, whose queries look to keys of their own`;
  return { name, result: { output, logSumExp, keyEvaluations, heldOut, note } };
}

/** A budget without some evaluations for each query. */
function shortened(budget: Budget, evaluations: number): Budget {
  const { bucketSize, samples } = budget, spent = Math.ceil(evaluations);
  return samples >= spent
    ? { ...budget, samples: samples - spent }
    : { ...budget, bucketSize: Math.max(1, bucketSize - spent) };
}
