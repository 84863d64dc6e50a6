import type { PrimitiveName } from "../primitives.ts";
import { attentionAnswers } from "./attention.ts";
import { bucketAnswers } from "./buckets.ts";
import { coresetAnswers } from "./coreset.ts";
import type { KnownAnswer, KnownAnswers, Size } from "./known_answer.ts";
import { rowAnswers } from "./rows.ts";
import { treeAnswers } from "./tree.ts";

/** Cases for every primitive, for all who go through them one by one: the self test, tests and benchmarks. */
export const knownAnswers: KnownAnswers<PrimitiveName> = {
  ...attentionAnswers,
  ...rowAnswers,
  ...bucketAnswers,
  ...coresetAnswers,
  ...treeAnswers,
};

/** The names of all primitives. */
export const primitiveNames = Object.keys(knownAnswers) as readonly PrimitiveName[];

/** The cases of some primitives, in the order of the table. */
export function casesOf(names: readonly PrimitiveName[] = primitiveNames): KnownAnswer[] {
  return names.flatMap((name) => knownAnswers[name] as unknown as readonly KnownAnswer[]);
}

/** Few rows, in odd numbers and widths. */
export const SMALL: Size = {
  heads: 2,
  queries: 21,
  keys: 29,
  features: 5,
  valueFeatures: 3,
  probes: 7,
  points: 4,
};
