import type { Backend } from "../../../kernels/backend.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { planAuto } from "../auto/auto_plan.ts";
import { calibrate, planCoreset } from "../calibrated/calibrated.ts";
import { operatorError } from "../error_sample.ts";
import { type ErrorSums, sumsOfHeads } from "../held_out.ts";
import { rowOverlap, VERY_SHARP } from "../shared/row_overlap.ts";
import { type Budget, type CostedAttention, scaleBudget } from "../method.ts";
import { attendExactly } from "../run_heads.ts";
import type { AnsweredHeads } from "../shared/answered_heads.ts";
import { headOf, headsOf } from "../shared/some_heads.ts";
import { attendToTarget, numbersOfTree, planTarget } from "../tilted_tree/tilted_tree.ts";
import { type Trial, TrialFailed } from "../trial.ts";
import { type Asked, type HeadAnswer, type HeadAnswers, joinHeads } from "./head_answers.ts";

/** Rows held out that judge a coreset. */
const ROWS = 48;
/** What a coreset gets first; more where its points then have a linear function of the query beside them, which costs as much as d·d_v/(d + d_v) points, up to so many. */
const FIRST_SAMPLES = 64, WITH_LINEAR = 144, MOST_LINEAR = 40;
/** Errors of a coreset fall as about the root of its budget: where the first is farther off than this, a larger one is not tried. */
const NEAR = 2, RESERVE = 1.6;

/** The budget of the first coreset. */
export function firstBudget({ features, valueFeatures }: Problem): Pick<Budget, "bucketSize" | "samples"> {
  const linear = features * valueFeatures / (features + valueFeatures);
  return { bucketSize: 32, samples: linear > MOST_LINEAR ? FIRST_SAMPLES : WITH_LINEAR };
}

/**
 * Where every query sees every key: by a coreset, by a larger one where the first is near, by a tree whose lists grow until they do, else exactly, head
 * by head; by a tree at once where queries look to keys of their own.
 *
 * @param exactly The same problem as exact attention takes it.
 */
export async function attendEveryKey(
  backend: Backend,
  problem: Problem,
  exactly: Problem,
  asked: Asked,
  progress: Progress,
): Promise<HeadAnswers> {
  const { tolerance, seed } = asked, { heads } = problem;
  const first = firstBudget(problem), { budget, probes = 0 } = planAuto(problem, { ...first, seed }, false);
  if (!budget || !fitsDevice(backend, problem, probes + ROWS)) {
    const result = await attendExactly(backend, exactly, progress);
    return { result, names: Array<"exact">(heads).fill("exact") };
  }
  const target = planTarget(problem, tolerance);
  const mayPlant = target !== undefined && fitsDevice(backend, problem, numbersOfTree(target.plan));
  const even = Array.from(Array(heads).keys()).filter((head) =>
    !mayPlant || rowOverlap(problem, head) >= VERY_SHARP
  );
  let found: AnsweredHeads | undefined, spent = 0;
  const errors: ErrorSums[] = [];
  if (even.length > 0) {
    const part = headsOf(problem, even);
    try {
      const result = await calibrate(backend, part, budget, progress, trialOf(tolerance));
      found = { heads: even, result };
      sumsOfHeads(part, result.heldOut!, result).forEach((sums, at) => errors[even[at]] = sums);
    } catch (error) {
      if (!(error instanceof TrialFailed)) throw error;
      backend.reset();
      spent = error.keyEvaluations;
      // The trial may have stopped before it came to a head.
      even.forEach((head, at) => errors[head] = error.heads[at] ?? error.heads[error.heads.length - 1]);
    }
  }
  const { result, names } = await joinHeads(problem, found, async (part, head) => {
    const excess = errors[head] && operatorError(errors[head].sample!).error / tolerance;
    if (found && excess <= 1) return undefined;
    const answer = await answerHead(backend, part, headOf(exactly, head), excess, asked, progress);
    backend.reset();
    return answer;
  });
  return { result: { ...result, keyEvaluations: spent + result.keyEvaluations }, names };
}

/** Stops what errs by more in most heads. */
function trialOf(tolerance: number): Trial {
  const fails = ({ sample }: ErrorSums) => operatorError(sample!).error > tolerance;
  return { rows: ROWS, judge: (heads) => heads.filter(fails).length > heads.length / 2 ? "stop" : "keep" };
}

/**
 * Answers one head with the first method that keeps to the tolerance.
 *
 * @param exactly The same head as exact attention takes it.
 * @param excess The error of the first coreset over the tolerance, if there was one.
 */
async function answerHead(
  backend: Backend,
  part: Problem,
  exactly: Problem,
  excess: number | undefined,
  { tolerance, seed }: Asked,
  progress: Progress,
): Promise<HeadAnswer> {
  let spent = 0;
  const attempt = async (attend: () => Promise<CostedAttention>): Promise<CostedAttention | undefined> => {
    try {
      const result = await attend();
      return { ...result, keyEvaluations: spent + result.keyEvaluations };
    } catch (error) {
      if (!(error instanceof TrialFailed)) throw error;
      spent += error.keyEvaluations;
      backend.reset();
      return undefined;
    }
  };
  // Rows that judged one answer do not judge another: each has a seed of its own.
  const seeds = [1, 2].map((further) => (seed + further) % (Number.MAX_SAFE_INTEGER + 1));
  if (excess !== undefined && excess <= NEAR) {
    const larger = scaleBudget({ ...firstBudget(part), seed: seeds[0] }, Math.max(1, RESERVE * excess ** 2));
    const near = planAuto(part, larger, true).budget ? planCoreset(part, larger) : undefined;
    if (near && fitsDevice(backend, part, near.probes + ROWS)) {
      const result = await attempt(() => calibrate(backend, part, larger, progress, trialOf(tolerance)));
      if (result) return { name: "calibrated", result };
    }
  }
  const target = planTarget(part, tolerance, excess);
  if (target && fitsDevice(backend, part, numbersOfTree(target.plan))) {
    const result = await attempt(() => attendToTarget(backend, part, target, seeds[1], progress));
    if (result) return { name: "tilted-tree", result };
  }
  const result = await attendExactly(backend, exactly, progress);
  return { name: "exact", result: { ...result, keyEvaluations: spent + result.keyEvaluations } };
}
