import type { RandomStream } from "../../../../kernels/random.ts";
import type { ChosenKeys } from "../shared/attend_chosen.ts";

/** Keys that each query sees for certain, and how many others are drawn first. */
export interface FirstStage {
  /** The first keys. */
  readonly sinks: number;
  /** The heaviest of the others. */
  readonly top: number;
  /** Draws that tell how much the rest varies; two at least are taken. */
  readonly base: number;
  /** Chance with which the denominator may be further off than epsilon says. */
  readonly delta: number;
}

/** A query whose certain keys and first draws are known; how many more it draws is up to ε. */
export interface OpenedQuery {
  /** Keys whose values or weights are looked at, all draws included, in the mean. */
  used(epsilon: number): number;
  /** The keys of the answer; asked once, and while the logits are what they were. */
  choose(epsilon: number): ChosenKeys;
}

/** Looks at one query, of which all logits are known. */
export type OpenQuery = (logits: Float64Array, stage: FirstStage, random: RandomStream) => OpenedQuery;
