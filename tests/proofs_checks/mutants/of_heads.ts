import type { CostedAttention } from "../../../estimators/methods/method.ts";
import type { ApproximateName } from "../../../estimators/methods/methods.ts";
import type { Problem } from "../../../estimators/core/problem.ts";
import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { methodMutant, type Mutant, mutant } from "./make_mutant.ts";

/** One head, alone. */
function oneHead(problem: Problem, head: number): Problem {
  const part = (rows: Float32Array) => {
    const size = rows.length / problem.heads;
    return rows.subarray(head * size, (head + 1) * size);
  };
  return {
    ...problem,
    heads: 1,
    query: part(problem.query),
    key: part(problem.key),
    value: part(problem.value),
  };
}

/** The same answer for each of some heads. */
function repeated<T extends Pick<CostedAttention, "output" | "logSumExp">>(one: T, heads: number) {
  const often = (rows: Float32Array) => {
    const all = new Float32Array(heads * rows.length);
    for (let head = 0; head < heads; head++) all.set(rows, head * rows.length);
    return all;
  };
  return { ...one, output: often(one.output), logSumExp: often(one.logSumExp), heldOut: undefined };
}

/** A method that answers every head as it answers one of them. */
const answeredAs = (head: number, fault: string, claim: string, name: ApproximateName): Mutant =>
  methodMutant(
    fault,
    claim,
    name,
    name,
    async (attend, backend, problem, ...rest) =>
      repeated(await attend(backend, oneHead(problem, head), ...rest), problem.heads),
  );

/** Heads and keys that are taken for others. */
export const headMutants: readonly Mutant[] = [
  answeredAs(0, "every head answered as the first", "heads-in-company", "calibrated"),
  answeredAs(2, "every head answered as the last of three", "heads-before-others", "calibrated"),
  answeredAs(0, "every head drawn by the streams of the first", "heads-draw-apart", "kdeformer-practical"),
  answeredAs(0, "every run drawn by the streams of the first", "heads-draw-apart-in-turn", "calibrated"),
  mutant("Algorithm 1 answers every head as the first", "kdeformer-heads", "last-head", {
    async kdeformer(backend, problem, ...rest) {
      const one = await shipped.kdeformer(backend, oneHead(problem, 0), ...rest);
      return { ...one, output: repeated(one, problem.heads).output };
    },
  }),
  mutant("causal order forgotten", "visible-keys", "attention", {
    attention: (query, key, value, options) =>
      shipped.attention(query, key, value, { ...options, causal: false }),
  }),
  mutant("shards that forget their mask", "visible-keys", "partial", {
    attentionPartial: (query, key, value, options) =>
      shipped.attentionPartial(query, key, value, { ...options, keyMask: undefined }),
  }),
  mutant("rectangles of the keys that no query sees too", "visible-keys", "rectangles", {
    runMethod: (method, backend, problem, ...rest) =>
      shipped.runMethod(method, backend, { ...problem, causalOffset: undefined }, ...rest),
  }),
  mutant("later keys seen by a method", "unseen-keys", "calibrated", {
    runMethod: (method, backend, problem, ...rest) =>
      shipped.runMethod(method, backend, { ...problem, causalOffset: undefined }, ...rest),
  }),
];
