import { makeProblem, type Problem } from "../../../../estimators/core/problem.ts";
import { eachHead, type Head } from "../../../../estimators/methods/rivals/shared/each_head.ts";
import type { CostedHead } from "../../../../estimators/methods/rivals/shared/each_head.ts";
import type { Backend } from "../../../../kernels/backend.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { normals } from "../../../data.ts";

/** Sizes of a head, and how its rows are spread. */
export interface HeadSizes {
  readonly queries: number;
  readonly keys: number;
  readonly d?: number;
  readonly dV?: number;
  readonly scale?: number;
  /** Standard deviation of queries and keys. */
  readonly spread?: number;
  readonly seed?: number;
}

/** One head with rows of independent normal numbers. */
export function gaussianHead(
  { queries, keys, d = 6, dV = 4, scale = 1 / Math.sqrt(d), spread = 1, seed = 0 }: HeadSizes,
): Problem {
  const rows = (stream: number, count: number, width: number, by: number) =>
    tensor(normals(10 * seed + stream, count * width, by), [count, width]);
  return makeProblem(rows(1, queries, d, spread), rows(2, keys, d, spread), rows(3, keys, dV, 1), { scale });
}

/** The same problem with other rows. */
export function withRows(problem: Problem, rows: Partial<Pick<Problem, "query" | "key" | "value">>): Problem {
  return { ...problem, ...rows };
}

/** Runs what attends one head at a time, whatever the budget. */
export async function attendHeads(
  backend: Backend,
  problem: Problem,
  attendHead: (head: Head) => Promise<CostedHead>,
): ReturnType<typeof eachHead> {
  const none = { bucketSize: 0, samples: 0, seed: 0 };
  const result = await eachHead("this", backend, problem, none, {}, attendHead);
  backend.reset();
  return result;
}

/** Eight units in the last place of f32 of the largest product that a query and a key may have, and no less than of 1. */
export function roundingOf({ query, key, features, scale }: Problem): number {
  const longest = (rows: Float32Array) => {
    let most = 0;
    for (let first = 0; first < rows.length; first += features) {
      most = Math.max(most, Math.hypot(...rows.subarray(first, first + features)));
    }
    return most;
  };
  return 2 ** -20 * Math.max(1, Math.abs(scale) * longest(query) * longest(key));
}
