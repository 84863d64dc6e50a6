import { heaviest } from "../oracle_top_k/heaviest.ts";
import type { FirstStage } from "./opened_query.ts";

/** Keys of a query. */
export interface CertainKeys {
  /** Those that it sees for certain, and those that are left, in their order. */
  readonly certain: Uint32Array;
  readonly rest: Uint32Array;
  /** For each key whether it is certain. */
  readonly isCertain: Uint8Array;
  /** How many are certain for being the first. */
  readonly sinks: number;
}

/** The keys that a query sees for certain, the first ones and the heaviest of the others, and those that are left. */
export function certainKeys(logits: Float64Array, stage: Pick<FirstStage, "sinks" | "top">): CertainKeys {
  const sinks = Math.min(stage.sinks, logits.length);
  const top = heaviest(logits.subarray(sinks), Math.min(stage.top, logits.length - sinks));
  const isCertain = new Uint8Array(logits.length).fill(1, 0, sinks);
  for (const at of top) isCertain[sinks + at] = 1;
  const certain = new Uint32Array(sinks + top.length), rest = new Uint32Array(logits.length - certain.length);
  for (let j = 0, a = 0, b = 0; j < logits.length; j++) {
    if (isCertain[j]) certain[a++] = j;
    else rest[b++] = j;
  }
  return { certain, rest, isCertain, sinks };
}

/** What {@link expSums} finds. */
export interface ExpSums {
  readonly sum: number;
  readonly deviation: number;
}

/** Sum and standard deviation of e^(logit − shift) over keys; the deviation of a single one is 0. */
export function expSums(logits: Float64Array, keys: ArrayLike<number>, shift: number): ExpSums {
  let sum = 0, squares = 0;
  for (let at = 0; at < keys.length; at++) sum += Math.exp(logits[keys[at]] - shift);
  const mean = sum / keys.length;
  for (let at = 0; at < keys.length; at++) squares += (Math.exp(logits[keys[at]] - shift) - mean) ** 2;
  return { sum, deviation: Math.sqrt(squares / Math.max(1, keys.length - 1)) };
}

export function largestOf(logits: Float64Array): number {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  return largest;
}

/** Logits of some keys. */
export function pick(logits: Float64Array, index: Uint32Array): Float64Array {
  const picked = new Float64Array(index.length);
  for (let at = 0; at < index.length; at++) picked[at] = logits[index[at]];
  return picked;
}
