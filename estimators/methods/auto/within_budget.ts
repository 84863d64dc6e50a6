import type { Backend } from "../../../kernels/backend.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import type { Budget } from "../method.ts";
import { attendExactly } from "../run_heads.ts";
import { type AnsweredHeads, joinAnswers } from "../shared/answered_heads.ts";
import { headsOf } from "../shared/some_heads.ts";
import { attendByTree, numbersOfTree } from "../tilted_tree/tilted_tree.ts";
import { planAuto, planOther } from "./auto_plan.ts";
import type { Answer } from "./improve_heads.ts";
import { costOfOverlap, rowOverlap, sharpBelow } from "../shared/row_overlap.ts";

/** A tree may take this share of the time of exact attention. */
const MOST_TREE = 0.9;
/** Rows that tell the error of a tree. */
const HELD_OUT = 12;
/** With shorter lists a tree is of no use. */
const LEAST_ENTRIES = 32;

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
  const other = planOther(problem, budget, looked, HELD_OUT, LEAST_ENTRIES);
  if (!other || other.total > MOST_TREE || !fitsDevice(backend, problem, numbersOfTree(other.plan))) {
    return { name: "calibrated", result: await calibrate(backend, problem, own, progress) };
  }
  const all = Array.from(Array(heads).keys()), most = sharpBelow(other.plan.entries);
  const sharp = all.filter((head) => rowOverlap(problem, head) < most);
  const even = all.filter((head) => !sharp.includes(head)), parts: AnsweredHeads[] = [];
  if (sharp.length > 0) {
    const result = await attendByTree(backend, headsOf(problem, sharp), other.plan, budget, progress);
    parts.push({ heads: sharp, result });
  }
  if (even.length > 0) {
    const left = shortened(own, looked / queries);
    parts.push({ heads: even, result: await calibrate(backend, headsOf(problem, even), left, progress) });
  }
  const result = joinAnswers(problem, parts);
  const keyEvaluations = result.keyEvaluations + heads * Math.round(looked);
  const note = parts.length > 1
    ? `tilted-tree in ${sharp.length} of ${heads} heads, whose queries look to keys of their own`
    : result.note;
  const name = sharp.length > even.length ? "tilted-tree" : "calibrated";
  return { name, result: { ...result, keyEvaluations, note } };
}

/** A budget without some evaluations for each query. */
function shortened(budget: Budget, evaluations: number): Budget {
  const { bucketSize, samples } = budget, spent = Math.ceil(evaluations);
  return samples >= spent
    ? { ...budget, samples: samples - spent }
    : { ...budget, bucketSize: Math.max(1, bucketSize - spent) };
}
