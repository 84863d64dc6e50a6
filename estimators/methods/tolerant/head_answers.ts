import type { Problem } from "../../core/problem.ts";
import { pickRows } from "../../linear_algebra/pick_rows.ts";
import { scatteredPlaces } from "../../linear_algebra/scattered_places.ts";
import type { HeldOutRows } from "../held_out.ts";
import type { CostedAttention } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { type AnsweredHeads, joinAnswers } from "../shared/answered_heads.ts";
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
  const parts = first ? [first] : [], names: HeadMethod[] = Array(problem.heads).fill("calibrated");
  for (let head = 0; head < problem.heads; head++) {
    const own = await answer(headOf(problem, head), head);
    if (!own) continue;
    const { name, result } = own, heldOut = result.heldOut ?? [exactRows(result, problem)];
    parts.push({ heads: [head], result: { ...result, heldOut } });
    names[head] = name;
  }
  const exact = names.every((name) => name === "exact");
  return { result: { ...joinAnswers(problem, parts), exact }, names };
}

/** Rows of an exact result that stand for it. */
const ROWS = 48;

/** Rows of an exact result, as held out from none. */
function exactRows({ output, logSumExp }: CostedAttention, { queries, valueFeatures }: Problem): HeldOutRows {
  const picks = scatteredPlaces(queries, ROWS);
  return {
    picks,
    output: pickRows(output, valueFeatures, picks),
    logSumExp: pickRows(logSumExp, 1, picks),
    meanValue: new Float32Array(valueFeatures),
    standFor: 0,
  };
}
