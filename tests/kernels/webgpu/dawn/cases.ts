import type { Backend } from "../../../../kernels/backend.ts";
import { casesOf, primitiveNames, SMALL } from "../../../../kernels/known_answers/known_answers.ts";
import { rowAnswers } from "../../../../kernels/known_answers/rows.ts";
import type { PrimitiveName } from "../../../../kernels/primitives.ts";
import { attendCases } from "./attend_cases.ts";
import { type Case, count, floats, heads, words } from "./shapes.ts";

/** Widths of rows, in single floats and in vec4s, from one lane a row to as many as there can be. */
const WIDTHS = [1, 3, 4, 15, 16, 17, 64, 65, 100, 128, 256, 516, 1000, 2048, 5000];

/** More hyperplanes, and more queries, than one invocation takes at a time. */
const PROJECTIONS = 9, QUERIES = 13;

/** Primitives whose code is written out for the widths of their rows, but for `attend`, which has cases of its own. */
const OF_ROWS: readonly PrimitiveName[] = [...Object.keys(rowAnswers) as PrimitiveName[], "mergeAttention"];
/** Widths at which all primitives are taken. */
const COMMON_WIDTHS = [7, 64, 100];

/** Work that takes every kernel in every shape that its code is written out for, and with every rule. */
export function everyCase(): Case[] {
  return [
    ...attendCases(),
    ...WIDTHS.flatMap((width) => sized(OF_ROWS, width)),
    ...COMMON_WIDTHS.flatMap((width) => sized(primitiveNames, width)),
    ...upTo(QUERIES).flatMap((queries) =>
      sized(["softmaxRows", "attendProbes", "keyImportance"], 8, queries)
    ),
    ...upTo(PROJECTIONS).map(hashes),
    sorting,
  ];
}

/** The known answers of primitives, for rows of a width. */
function sized(names: readonly PrimitiveName[], width: number, queries = SMALL.queries): Case[] {
  const size = { ...SMALL, queries, features: width, valueFeatures: width };
  return casesOf(names).map((one) => (backend) => void one.prepare(backend, size).answers());
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

function hashes(projections: number): Case {
  return (backend) => {
    const rows = floats(backend, heads, count, 7), hyperplanes = floats(backend, heads, projections, 7);
    backend.angularHash({ rows, hyperplanes, heads, count, width: 7, projections });
  };
}

function sorting(backend: Backend): void {
  for (const buckets of [2, 2 ** 20]) {
    backend.sortByBucket({ ranks: words(backend, heads, count), heads, count, buckets });
  }
}
