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

/** Problems that overflow, underflow or degenerate, by name: huge logits, one key, equal keys, keys of zeros, no scale. */
export function hardProblems(): Record<string, Problem> {
  const rows = (count: number, width: number, of: (at: number) => number) =>
    tensor(Float32Array.from({ length: count * width }, (_, at) => of(at)), [1, count, width]);
  const some = normals(7, 48 * 4), value = rows(48, 2, (at) => some[at]);
  const at = (size: number) => rows(48, 4, (at) => size * some[at]);
  return {
    "logits of 10^4": makeProblem(at(120), at(120), value),
    "logits of 10^12": makeProblem(at(1e6), at(1e6), value),
    "long keys, short queries": makeProblem(at(1e-16), at(1e16), value),
    "a negative scale": makeProblem(at(40), at(40), value, { scale: -3 }),
    "no scale": makeProblem(at(1), at(1), value, { scale: 0 }),
    "equal keys": makeProblem(at(3), rows(48, 4, (at) => some[at % 4]), value),
    "keys of zeros": makeProblem(at(3), rows(48, 4, () => 0), value),
    "nothing but zeros": makeProblem(rows(48, 4, () => 0), rows(48, 4, () => 0), value),
    "one feature": makeProblem(rows(48, 1, (at) => some[at]), rows(48, 1, (at) => 9 * some[at]), value),
  };
}
