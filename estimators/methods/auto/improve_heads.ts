import type { Backend } from "../../../kernels/backend.ts";
import { exactAttention } from "../../core/exact.ts";
import type { Problem } from "../../core/problem.ts";
import { describeErrors, type ErrorSums, isUseless, sumsOfHeads, totalOf } from "../held_out.ts";
import type { CostedAttention } from "../method.ts";
import type { ApproximateName } from "../methods.ts";
import { headOf } from "../shared/some_heads.ts";

/** What a method answers. */
export interface Answer {
  readonly name: ApproximateName;
  readonly result: CostedAttention;
}

/** Beyond this share of the output's norm another method is worth trying: measured on pretrained heads and clusters, `docs/theory.md`, 5.1. */
export const ROUGH = 0.2;
/**
 * What squared errors of a tree count beside those of a coreset: the latter is fitted to means of rows, so that of equal errors in Frobenius
 * norm, which the rows held out tell best, it has about 0.7 times that of a tree in operator norm.
 */
const HANDICAP: Partial<Record<ApproximateName, number>> = { "tilted-tree": 2 };

/** Squared errors as they count in the choice between methods. */
export function weigh(name: ApproximateName, { error }: Pick<ErrorSums, "error">): number {
  return (HANDICAP[name] ?? 1) * error;
}

/** Another method, for heads in which one is rough or not the better one. */
export interface Other {
  readonly name: ApproximateName;
  /** Answers one head; undefined where it promises nothing better. */
  readonly attend: (
    part: Problem,
    sums: ErrorSums,
    head: number,
  ) => Promise<CostedAttention | undefined>;
}

/**
 * Puts what another method answers, if there is one, in place of heads where rows held out say that it errs less, exact attention in place of heads where
 * the better of both is of no use, and notes it. Head by head: such heads are few, or the whole would have been attended otherwise.
 *
 * @param exactly The same problem as exact attention takes it: its queries may be centred besides.
 */
export async function improveHeads(
  backend: Backend,
  problem: Problem,
  exactly: Problem,
  { name, result }: Answer,
  other?: Other,
): Promise<Answer> {
  const { heldOut } = result, { heads, queries, valueFeatures } = problem;
  if (!heldOut) return { name, result };
  if (result.exact) {
    // What the answer would have been that was given up.
    const tried = sumsOfHeads(problem, heldOut.map((own) => ({ ...own, standFor: queries })), result);
    return { name, result: { ...result, note: `exact: ${ofLittleUse(tried)}` } };
  }
  const held = [...heldOut], first = sumsOfHeads(problem, held, result), best = [...first];
  const chosen: (ApproximateName | "exact")[] = best.map(() => name);
  let { keyEvaluations } = result;
  for (let head = 0; head < heads; head++) {
    const part = headOf(problem, head), own = await other?.attend(part, best[head], head);
    if (own) {
      keyEvaluations += own.keyEvaluations;
      const [sums] = sumsOfHeads(part, own.heldOut!, own);
      if (weigh(other!.name, sums) < weigh(name, best[head])) {
        best[head] = sums;
        chosen[head] = other!.name;
        result.output.set(own.output, head * own.output.length);
        result.logSumExp.set(own.logSumExp, head * own.logSumExp.length);
        held[head] = own.heldOut![0];
      }
    }
    if (!isUseless(best[head])) continue;
    const exact = await exactAttention(backend, headOf(exactly, head));
    result.output.set(exact.output, head * queries * valueFeatures);
    result.logSumExp.set(exact.logSumExp, head * queries);
    keyEvaluations += queries * part.keys;
    held[head] = { ...held[head], standFor: 0 };
    chosen[head] = "exact";
  }
  const headsOf = (wanted: string) => chosen.flatMap((name, head) => name === wanted ? [head] : []);
  const where = (list: readonly number[]) =>
    list.length === heads ? "" : ` in ${list.length} of ${heads} heads`;
  const exactHeads = headsOf("exact"), otherHeads = other ? headsOf(other.name) : [], notes: string[] = [];
  if (exactHeads.length > 0) {
    notes.push(`exact${where(exactHeads)}: ${ofLittleUse(exactHeads.map((head) => best[head]))}`);
  }
  if (otherHeads.length > 0) {
    const found = describeErrors(totalOf(otherHeads.map((head) => first[head])));
    notes.push(`${other!.name}${where(otherHeads)}: ${name} would be rough, with ${found}`);
  }
  const note = notes.length > 0 ? notes.join("; ") : undefined;
  const changed = { ...result, keyEvaluations, heldOut: held, note };
  return {
    name: otherHeads.length > heads / 2 ? other!.name : name,
    result: { ...changed, exact: exactHeads.length === heads },
  };
}

/** Why an answer was given up. */
export function ofLittleUse(heads: readonly ErrorSums[]): string {
  return `approximating would be of little use, with ${describeErrors(totalOf(heads))}`;
}
