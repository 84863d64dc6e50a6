import type { Problem } from "../../core/problem.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import type { HeldOutRows } from "../held_out.ts";
import type { CostedAttention } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { headOf } from "../shared/some_heads.ts";

/** What is asked for. */
export interface Asked {
  /** Largest ‖Att~ − Att‖ / ‖Att‖ of a head. */
  readonly tolerance: number;
  readonly seed: number;
}

/** What a head may be attended with. */
export type HeadMethod = ApproximateName | "exact";

/** The answers of all heads, and the method of each. */
export interface HeadAnswers {
  readonly result: CostedAttention;
  readonly names: readonly HeadMethod[];
}

/** The answer of a head. */
export interface HeadAnswer {
  readonly name: HeadMethod;
  readonly result: CostedAttention;
}

/** Heads that a method has answered together, in this order. */
export interface AnsweredHeads {
  readonly heads: readonly number[];
  readonly result: CostedAttention;
}

/**
 * The answers of all heads in one result.
 *
 * @param first What a coreset says of some of them.
 * @param answer The answer of a head, in place of the coreset's if there is one.
 */
export async function joinHeads(
  problem: Problem,
  first: AnsweredHeads | undefined,
  answer: (part: Problem, head: number) => Promise<HeadAnswer | undefined>,
): Promise<HeadAnswers> {
  const { heads, queries, valueFeatures } = problem, names: HeadMethod[] = Array(heads).fill("calibrated");
  const output = new Float32Array(heads * queries * valueFeatures),
    logSumExp = new Float32Array(heads * queries);
  const heldOut: HeldOutRows[] = [], outputs = queries * valueFeatures;
  first?.heads.forEach((head, at) => {
    const { result } = first;
    output.set(result.output.subarray(at * outputs, (at + 1) * outputs), head * outputs);
    logSumExp.set(result.logSumExp.subarray(at * queries, (at + 1) * queries), head * queries);
    heldOut[head] = result.heldOut![at];
  });
  let keyEvaluations = first?.result.keyEvaluations ?? 0;
  for (let head = 0; head < heads; head++) {
    const own = await answer(headOf(problem, head), head);
    if (!own) continue;
    const { name, result } = own;
    output.set(result.output, head * outputs);
    logSumExp.set(result.logSumExp, head * queries);
    heldOut[head] = result.heldOut?.[0] ?? exactRows(result, problem);
    names[head] = name;
    keyEvaluations += result.keyEvaluations;
  }
  const exact = names.every((name) => name === "exact");
  return { result: { output, logSumExp, keyEvaluations, heldOut, exact }, names };
}

/** Rows of an exact result that stand for it. */
const ROWS = 48;

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
