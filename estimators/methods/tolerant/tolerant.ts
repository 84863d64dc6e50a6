import type { Backend } from "../../../kernels/backend.ts";
import type { CentredProblem } from "../../core/centred.ts";
import { fitsDevice, type Progress } from "../../core/head_chunks.ts";
import type { Problem } from "../../core/problem.ts";
import { countVisible } from "../../core/visible_pairs.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { planAuto } from "../auto/auto_plan.ts";
import { calibrate } from "../calibrated/calibrated.ts";
import { type Estimate, operatorError } from "../error_sample.ts";
import { type ErrorSums, type HeldOutRows, sumsOfHeads } from "../held_out.ts";
import { type Attend, type Budget, type CostedAttention, scaleBudget } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { attendExactly } from "../run_heads.ts";
import { headOf } from "../shared/one_head.ts";
import { planCausalTree } from "../tilted_tree/causal_plan.ts";
import { attendInOrder, attendToTarget, planTarget } from "../tilted_tree/tilted_tree.ts";
import { type Trial, TrialFailed } from "../trial.ts";
import { type ApproximateAttention, approximateAttention, attendVisible } from "../visible.ts";

/** What a coreset gets first, and rows held out that judge it. */
const FIRST: Pick<Budget, "bucketSize" | "samples"> = { bucketSize: 32, samples: 64 }, ROWS = 48;
/** Errors of a coreset fall as about the root of its budget: where the first is farther off than this, a larger one is not tried. */
const NEAR = 2, RESERVE = 1.6;

/** What is asked for. */
export interface Asked {
  /** Largest ‖Att~ − Att‖ / ‖Att‖ of a head. */
  readonly tolerance: number;
  readonly seed: number;
}

/** What a head may be attended with. */
type HeadMethod = ApproximateName | "exact";

/** An output, and what is known of its error. */
export interface TolerantAttention extends ApproximateAttention {
  /** The method that most heads were attended with. */
  readonly name: HeadMethod;
  /** Of the head that errs most, in operator norm; rows behind it. */
  readonly estimate: Estimate & { readonly rows: number };
}

/**
 * Attention whose error, as estimated in operator norm from rows that had no part in it, is at most `tolerance` of the output in every head: of a
 * coreset, of a larger one where the first is near, of a tree whose lists grow until they do, else exactly, head by head. The rows that
 * judge an answer are drawn for it. No certificate: few rows with large errors may hide from the sample.
 */
export async function attendTolerantly(
  backend: Backend,
  { problem, exact }: CentredProblem,
  asked: Asked,
  progress: Progress = {},
): Promise<TolerantAttention> {
  const { tolerance, seed } = asked;
  if (problem.causalOffset !== undefined && firstInOrder(problem)) {
    const { result, names } = await joinHeads(problem, undefined, async (part) => {
      const answer = await answerInOrder(backend, part, asked, progress);
      backend.reset();
      return answer;
    });
    const errors = sumsOfHeads(problem, result.heldOut!, result);
    return { ...result, ...describe(names), errors, estimate: worstOf(errors) };
  }
  const counts = new Map<HeadMethod, number>();
  const attend: Attend = async (backend, part, _, progress = {}) => {
    const { result, names } = await attendEveryKey(backend, part, asked, progress);
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + part.queries * part.keys);
    return result;
  };
  const result = await approximateAttention(attend, backend, problem, { ...FIRST, seed }, progress);
  const estimate = worstOf(result.errors ?? []);
  if (!result.exact && !(estimate.error <= tolerance)) {
    // Parts of which each keeps to the tolerance need not do so together.
    backend.reset();
    const all = await attendVisible(backend, exact, progress);
    const note = `exact: the parts of causal order would err by ${estimate.error.toPrecision(2)} together`;
    const keyEvaluations = result.keyEvaluations + all.keyEvaluations;
    return { ...all, keyEvaluations, exact: true, name: "exact", note, estimate: worstOf([]) };
  }
  const { name, note } = describe([...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name));
  return { ...result, name, note: result.exact ? result.note : note ?? result.note, estimate };
}

/** The method of most of some heads, and which there are beside it. */
function describe(names: readonly HeadMethod[]): { readonly name: HeadMethod; readonly note?: string } {
  const all = [...new Set(names)],
    times = (wanted: HeadMethod) => names.filter((name) => name === wanted).length;
  const name = all.reduce((a, b) => times(b) > times(a) ? b : a, all[0] ?? "exact");
  return { name, note: all.length > 1 ? `methods of the heads: ${all.join(", ")}` : undefined };
}

/** What is known of the head that errs most. */
function worstOf(heads: readonly ErrorSums[]): TolerantAttention["estimate"] {
  return heads.reduce(
    (worst, { sample, rows }) => {
      const own = operatorError(sample!);
      return own.error > worst.error ? { ...own, rows } : { ...worst, rows: worst.rows || rows };
    },
    { error: 0, low: 0, high: 0, rows: 0 },
  );
}

/** The answers of all heads, and the method of each. */
interface HeadAnswers {
  readonly result: CostedAttention;
  readonly names: readonly HeadMethod[];
}

async function attendEveryKey(
  backend: Backend,
  problem: Problem,
  asked: Asked,
  progress: Progress,
): Promise<HeadAnswers> {
  const { tolerance, seed } = asked, { heads } = problem;
  const { budget, probes = 0 } = planAuto(problem, { ...FIRST, seed }, false);
  if (!budget || !fitsDevice(backend, problem, probes + ROWS)) {
    const result = await attendExactly(backend, problem, progress);
    return { result, names: Array<"exact">(heads).fill("exact") };
  }
  let found: CostedAttention | undefined, sums: readonly ErrorSums[], spent = 0;
  try {
    found = await calibrate(backend, problem, budget, progress, trialOf(tolerance));
    sums = sumsOfHeads(problem, found.heldOut!, found);
  } catch (error) {
    if (!(error instanceof TrialFailed)) throw error;
    backend.reset();
    ({ heads: sums, keyEvaluations: spent } = error);
  }
  const { result, names } = await joinHeads(problem, found, async (part, head) => {
    const excess = operatorError(sums[head].sample!).error / tolerance;
    if (found && excess <= 1) return undefined;
    const answer = await answerHead(backend, part, excess, asked, progress);
    backend.reset();
    return answer;
  });
  return { result: { ...result, keyEvaluations: spent + result.keyEvaluations }, names };
}

/** The answer of a head. */
interface HeadAnswer {
  readonly name: HeadMethod;
  readonly result: CostedAttention;
}

/**
 * The answers of all heads in one result.
 *
 * @param first What a coreset says of all of them, if it has been asked.
 * @param answer Another answer for a head, if it needs one.
 */
async function joinHeads(
  problem: Problem,
  first: CostedAttention | undefined,
  answer: (part: Problem, head: number) => Promise<HeadAnswer | undefined>,
): Promise<HeadAnswers> {
  const { heads, queries, valueFeatures } = problem, names: HeadMethod[] = Array(heads).fill("calibrated");
  const output = first?.output ?? new Float32Array(heads * queries * valueFeatures);
  const logSumExp = first?.logSumExp ?? new Float32Array(heads * queries);
  const heldOut = [...first?.heldOut ?? []];
  let keyEvaluations = first?.keyEvaluations ?? 0;
  for (let head = 0; head < heads; head++) {
    const own = await answer(headOf(problem, head), head);
    if (!own) continue;
    const { name, result } = own;
    output.set(result.output, head * result.output.length);
    logSumExp.set(result.logSumExp, head * queries);
    heldOut[head] = result.heldOut?.[0] ?? exactRows(result, problem);
    names[head] = name;
    keyEvaluations += result.keyEvaluations;
  }
  const exact = names.every((name) => name === "exact");
  return { result: { output, logSumExp, keyEvaluations, heldOut, exact }, names };
}

/** Rows of an exact result, as held out from none. */
function exactRows({ output, logSumExp }: CostedAttention, { queries, valueFeatures }: Problem): HeldOutRows {
  const picks = Uint32Array.from(
    { length: Math.min(ROWS, queries) },
    (_, at) => Math.floor(at * queries / Math.min(ROWS, queries)),
  );
  return {
    picks,
    output: pickRows(output, valueFeatures, picks),
    logSumExp: pickRows(logSumExp, 1, picks),
    meanValue: new Float32Array(valueFeatures),
    standFor: 0,
  };
}

/** Stops what errs by more in most heads. */
function trialOf(tolerance: number): Trial {
  const fails = ({ sample }: ErrorSums) => operatorError(sample!).error > tolerance;
  return { rows: ROWS, judge: (heads) => heads.filter(fails).length > heads.length / 2 ? "stop" : "keep" };
}

/**
 * Answers one head with the first method that keeps to the tolerance.
 *
 * @param excess The error of the first coreset over the tolerance.
 */
async function answerHead(
  backend: Backend,
  part: Problem,
  excess: number,
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
  const larger = scaleBudget({ ...FIRST, seed: seeds[0] }, Math.max(1, RESERVE * excess ** 2));
  if (excess <= NEAR && planAuto(part, larger, true).budget) {
    const result = await attempt(() => calibrate(backend, part, larger, progress, trialOf(tolerance)));
    if (result) return { name: "calibrated", result };
  }
  const target = planTarget(part, tolerance, excess);
  if (target) {
    const result = await attempt(() => attendToTarget(backend, part, target, seeds[1], progress));
    if (result) return { name: "tilted-tree", result };
  }
  const result = await attendExactly(backend, part, progress);
  return { name: "exact", result: { ...result, keyEvaluations: spent + result.keyEvaluations } };
}

/** Evaluations that a tree in causal order is tried with first, times what it takes until there is one, and rows that judge it. */
const IN_ORDER = 230, IN_ORDER_FACTORS = [1, 1.4, 2, 2.8], JUDGES = 96;
/** A tree is given up where it would take more than this share of the visible pairs, or err so many times too much. */
const MOST_IN_ORDER = 0.25, MOST_EXCESS = 8;
/** Errors fall about as evaluations to the power of minus one over this. */
const POWER = 1.3, LEAST_STEP = 1.3;

/** The budget with which a tree in causal order is tried first; undefined where none pays. */
function firstInOrder(problem: Problem): number | undefined {
  const { heads, queries } = problem, most = MOST_IN_ORDER * countVisible(problem) / (heads * queries);
  return IN_ORDER_FACTORS.map((factor) => factor * IN_ORDER)
    .find((budget) => budget <= most && planCausalTree(problem, budget, JUDGES));
}

/** Answers one head in causal order by a tree with as many evaluations as the tolerance takes. */
async function answerInOrder(
  backend: Backend,
  part: Problem,
  { tolerance, seed }: Asked,
  progress: Progress,
): Promise<HeadAnswer> {
  const visible = countVisible(part);
  let spent = 0;
  for (let budget = firstInOrder(part) ?? Infinity; budget * part.queries <= MOST_IN_ORDER * visible;) {
    const plan = planCausalTree(part, budget, JUDGES);
    if (!plan) break;
    const result = await attendInOrder(backend, part, plan, seed, progress);
    spent += result.keyEvaluations;
    const [sums] = sumsOfHeads(part, result.heldOut!, result);
    const excess = operatorError(sums.sample!).error / tolerance;
    if (excess <= 1) return { name: "tilted-tree", result: { ...result, keyEvaluations: spent } };
    backend.reset();
    if (excess > MOST_EXCESS) break;
    budget *= Math.max(LEAST_STEP, excess ** POWER);
  }
  const result = await attendVisible(backend, part, progress);
  return { name: "exact", result: { ...result, keyEvaluations: spent + result.keyEvaluations } };
}
