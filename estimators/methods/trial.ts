import type { ErrorSums } from "./held_out.ts";

/** What becomes of an answer: it is kept, all queries attend exactly instead, or nothing more is done. */
export type Verdict = "keep" | "exact" | "stop";

/** Rows held out are answered before all others, so that what is not good enough costs little. */
export interface Trial {
  /** Rows held out in each head, if these are more than a method holds out by itself; those that are more come beside its budget. */
  readonly rows?: number;
  /** What becomes of the answer, from what its rows held out tell of each head, and the key evaluations that it took to find out. */
  readonly judge: (heads: readonly ErrorSums[], spent: number) => Verdict;
}

/** The trial said to stop: no query was answered. */
export class TrialFailed extends Error {
  constructor(
    /** What rows held out told of each head. */
    readonly heads: readonly ErrorSums[],
    /** What it took to find out. */
    readonly keyEvaluations: number,
  ) {
    super("The answer would not be good enough");
  }
}
