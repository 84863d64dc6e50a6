import type { Backend } from "../../../kernels/backend.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { countVisible } from "../../core/visible_pairs.ts";
import { operatorError } from "../error_sample.ts";
import { sumsOfHeads } from "../held_out.ts";
import { planCausalTree } from "../tilted_tree/causal_plan.ts";
import { attendInOrder, numbersInOrder } from "../tilted_tree/tilted_tree.ts";
import { attendVisible } from "../visible.ts";
import type { Asked, HeadAnswer } from "./head_answers.ts";

/** Evaluations that a tree in causal order is tried with first, times what it takes until there is one, and rows that judge it. */
const IN_ORDER = 230, IN_ORDER_FACTORS = [1, 1.4, 2, 2.8], JUDGES = 96;
/** A tree is given up where it would take more than this share of the visible pairs, or err so many times too much. */
const MOST_IN_ORDER = 0.25, MOST_EXCESS = 8;
/** Errors fall about as evaluations to the power of minus one over this. */
const POWER = 1.3, LEAST_STEP = 1.3;

/** The budget with which a tree in causal order is tried first; undefined where none pays. */
export function firstInOrder(problem: Problem): number | undefined {
  const { heads, queries } = problem, most = MOST_IN_ORDER * countVisible(problem) / (heads * queries);
  return IN_ORDER_FACTORS.map((factor) => factor * IN_ORDER)
    .find((budget) => budget <= most && planCausalTree(problem, budget, JUDGES));
}

/**
 * Answers one head in causal order by a tree with as many evaluations as the tolerance takes.
 *
 * @param exactly The same head as exact attention takes it.
 */
export async function answerInOrder(
  backend: Backend,
  part: Problem,
  exactly: Problem,
  { tolerance, seed }: Asked,
  progress: Progress,
): Promise<HeadAnswer> {
  const visible = countVisible(part);
  let spent = 0;
  for (let budget = firstInOrder(part) ?? Infinity; budget * part.queries <= MOST_IN_ORDER * visible;) {
    const plan = planCausalTree(part, budget, JUDGES);
    if (!plan || !fitsDevice(backend, part, numbersInOrder(part, plan))) break;
    const result = await attendInOrder(backend, part, plan, seed, progress);
    spent += result.keyEvaluations;
    const [sums] = sumsOfHeads(part, result.heldOut!, result);
    const excess = operatorError(sums.sample!).error / tolerance;
    if (excess <= 1) return { name: "tilted-tree", result: { ...result, keyEvaluations: spent } };
    backend.reset();
    if (excess > MOST_EXCESS) break;
    budget *= Math.max(LEAST_STEP, excess ** POWER);
  }
  const result = await attendVisible(backend, exactly, progress);
  return { name: "exact", result: { ...result, keyEvaluations: spent + result.keyEvaluations } };
}
