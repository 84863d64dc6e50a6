import type { Backend } from "../../../kernels/backend.ts";
import type { CentredProblem } from "../../core/centred.ts";
import type { Progress } from "../../core/head_chunks.ts";
import { type Estimate, operatorError } from "../error_sample.ts";
import { type ErrorSums, sumsOfHeads } from "../held_out.ts";
import type { Attend } from "../method.ts";
import { headOf } from "../shared/some_heads.ts";
import { type ApproximateAttention, approximateAttention, attendVisible } from "../visible.ts";
import { attendEveryKey, firstBudget } from "./every_key.ts";
import { type Asked, type HeadMethod, joinHeads } from "./head_answers.ts";
import { answerInOrder, firstInOrder } from "./in_order.ts";

/** An output, and what is known of its error. */
export interface TolerantAttention extends ApproximateAttention {
  /** The method that most heads were attended with. */
  readonly name: HeadMethod;
  /** Of the head that errs most, in operator norm; rows behind it. */
  readonly estimate: Estimate & { readonly rows: number };
}

/**
 * Attention whose error, as estimated in operator norm from rows to which nothing is fitted, is at most `tolerance` of the output in every head: of a
 * coreset, of a larger one where the first is near, of a tree whose lists grow until they do, else exactly, head by head. The rows that
 * judge it are drawn uniformly. No certificate: few rows with large errors may hide from the sample.
 */
export async function attendTolerantly(
  backend: Backend,
  { problem, exact }: CentredProblem,
  asked: Asked,
  progress: Progress = {},
): Promise<TolerantAttention> {
  const { tolerance, seed } = asked;
  if (problem.causalOffset !== undefined && firstInOrder(problem)) {
    const { result, names } = await joinHeads(problem, undefined, async (part, head) => {
      const answer = await answerInOrder(backend, part, headOf(exact, head), asked, progress);
      backend.reset();
      return answer;
    });
    const errors = sumsOfHeads(problem, result.heldOut!, result);
    return { ...result, ...describe(names), errors, estimate: worstOf(errors) };
  }
  const counts = new Map<HeadMethod, number>();
  const attend: Attend = async (backend, part, _, progress = {}) => {
    const { result, names } = await attendEveryKey(
      backend,
      part,
      part === problem ? exact : part,
      asked,
      progress,
    );
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + part.queries * part.keys);
    return result;
  };
  const result = await approximateAttention(
    attend,
    backend,
    problem,
    { ...firstBudget(problem), seed },
    progress,
  );
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
