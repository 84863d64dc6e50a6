import type { Backend } from "../../kernels/backend.ts";
import type { HostAttention } from "../core/exact.ts";
import type { Progress } from "../core/head_chunks.ts";
import type { Problem } from "../core/problem.ts";
import type { HeldOutRows } from "./held_out.ts";

/** The budget of an approximate method, and how it may be spent. */
export interface Budget {
  /** Keys per block of the methods that have blocks. */
  readonly bucketSize: number;
  /** Further keys per query. bucketSize + samples is the budget of key evaluations per query. */
  readonly samples: number;
  /** Hyperplanes of the hash; about one bucket per block when left out. */
  readonly projections?: number;
  /** Decides every random choice. */
  readonly seed: number;
}

/** Key evaluations that a budget allows for each query. */
export function perQuery({ bucketSize, samples }: Pick<Budget, "bucketSize" | "samples">): number {
  return bucketSize + samples;
}

/** A budget times a factor, in whole keys. */
export function scaleBudget(budget: Budget, factor: number): Budget {
  return {
    ...budget,
    bucketSize: Math.ceil(budget.bucketSize * factor),
    samples: Math.ceil(budget.samples * factor),
  };
}

/** A budget without some evaluations for each query. */
export function shortenBudget(budget: Budget, evaluations: number): Budget {
  const { bucketSize, samples } = budget, spent = Math.ceil(evaluations);
  return samples >= spent
    ? { ...budget, samples: samples - spent }
    : { ...budget, bucketSize: Math.max(1, bucketSize - spent), samples };
}

/** An attention result and what it cost. */
export interface CostedAttention extends HostAttention {
  /** Inner products of a query and a key, over all heads. */
  readonly keyEvaluations: number;
  /** Whether a method that approximates attended exactly to everything. */
  readonly exact?: boolean;
  /** Why it did, there or in some heads. */
  readonly note?: string;
  /** For each head what it would have answered where it computed rows exactly and had not fitted to them. */
  readonly heldOut?: readonly HeldOutRows[];
}

/** Attends approximately where every query sees every key. */
export type Attend = (
  backend: Backend,
  problem: Problem,
  budget: Budget,
  progress?: Progress,
) => Promise<CostedAttention>;

/** What there is to know of an approximate method: its record in the registry, `methods.ts`. */
export interface Method {
  /** One line for people: what it does, and where it is good. */
  readonly summary: string;
  /** Where it comes from: paper and algorithm, or the section of docs/theory.md. */
  readonly source: string;
  /** What its paper promises, in a line, with its condition; left out where it promises nothing. */
  readonly promise?: string;
  /** Steps that run on the host, whatever the device; left out where every step is a primitive of the device. */
  readonly onHost?: string;
  /**
   * Why it does not take a problem at this budget: it needs as many queries as keys, say, has no causal form, or takes a larger budget, of
   * which it names the least. Left out where it takes them all.
   */
  readonly refusal?: (problem: Problem, budget: Budget) => string | undefined;
  /** Whether another seed gives another result. */
  readonly random: boolean;
  /** Whether the budget covers all that it evaluates; else what it prepares comes on top, and may grow faster than n. */
  readonly withinBudget: boolean;
  /**
   * How far off it usually is at most, in units of the scatter of the outputs about their mean; 1 if left out. It decides whether an
   * attempt to certify an error is made, and nothing else.
   */
  readonly usualError?: number;
  /**
   * What it prepares takes time that evaluations do not show, about that of so many for each query on two threads; 100 if left out. It
   * decides the same.
   */
  readonly unseenEvaluations?: number;
  /**
   * Whether `attend` takes this problem in causal order as it is, with its mask. Others, and all of a method that leaves this out, are
   * covered by rectangles in which every query sees every key.
   */
  readonly takesCausal?: (problem: Problem, budget: Budget) => boolean;
  /**
   * Whether it takes keys as they are given. To others a common part of the keys, which softmax does not see, comes off where it costs
   * digits.
   */
  readonly keysAsGiven?: boolean;
  /** Runs it. */
  readonly attend: Attend;
}
