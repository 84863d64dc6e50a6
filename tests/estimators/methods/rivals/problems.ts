import { makeProblem, type Problem } from "../../../../estimators/core/problem.ts";
import { tensor } from "../../../../kernels/tensor.ts";
import { normals } from "../../../data.ts";

/** Sizes of a problem of normal rows. */
export interface Sizes {
  readonly queries?: number;
  readonly keys?: number;
  readonly d?: number;
  readonly dV?: number;
  readonly heads?: number;
  /** Standard deviation of queries and keys. */
  readonly size?: number;
  readonly scale?: number;
}

/** A problem of normal rows. */
export function normalProblem(
  { queries = 40, keys = 60, d = 5, dV = 3, heads = 1, size = 1, scale }: Sizes,
): Problem {
  const rows = (seed: number, count: number, width: number, by = 1) =>
    tensor(normals(seed, heads * count * width, by), [heads, count, width]);
  return makeProblem(rows(1, queries, d, size), rows(2, keys, d, size), rows(3, keys, dV), { scale });
}
