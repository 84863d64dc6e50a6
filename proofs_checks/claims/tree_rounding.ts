import type { Problem } from "../../estimators/core/problem.ts";
import { NEGLIGIBLE_WEIGHT } from "../../kernels/tree_primitives.ts";
import type { ListEntry } from "../measures/watched_lists.ts";
import { largestLogit } from "./exact_cases.ts";
import { SINGLE } from "./settings.ts";

/**
 * How far single precision may move the logarithm of the mass of an entry: no number on the way goes through more roundings than means
 * over the queries, products over the features, sums over the keys and two exponentials take, and none is larger than the largest logit. A
 * variance t of rows no longer than Y moves by at most that share of it, and by what moving the rows does.
 */
export class TreeRounding {
  /** Of a logit. */
  readonly logit: number;
  readonly #relative: number;

  constructor(problem: Problem) {
    const { queries, keys, features } = problem;
    this.#relative = 2 * (queries + keys + features + 32) * SINGLE;
    this.logit = this.#relative * (1 + largestLogit(problem));
  }

  /** Of the logarithm of an entry's mass, half its variance t included. */
  logMass({ halfVariance, rowLength }: Pick<ListEntry, "halfVariance" | "rowLength">): number {
    const moved = this.#relative * rowLength;
    return this.logit + this.#relative * halfVariance + Math.sqrt(2 * halfVariance) * moved + moved ** 2;
  }

  /** Of the masses of some keys, in units of that of all: weights below the least are 0. */
  negligible(keys: number): number {
    return keys * NEGLIGIBLE_WEIGHT * Math.exp(this.logit);
  }
}
