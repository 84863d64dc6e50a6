import { logSumExp as logSum } from "../../estimators/kde/log_domain.ts";
import type { Problem } from "../../estimators/core/problem.ts";
import type { ListEntry, WatchedList } from "../measures/watched_lists.ts";
import type { TreeRounding } from "./tree_rounding.ts";

/** What a query makes of some keys: of an entry of its list, or of a key by itself. Of what it does not know there is an upper bound alone. */
export interface RowPart {
  /** Logarithm of the mass that it takes them to have; of the most that they can have, where it leaves them out. */
  readonly logMass: number;
  /** Logarithm of the true mass over that one, at least and at most; −Infinity and 0 where it leaves them out. */
  readonly least: number;
  readonly most: number;
  /** The value that it takes. */
  readonly value: ArrayLike<number>;
  /** [valueFeatures]: how far the mean of their values under their true weights may lie from it. */
  readonly moved: ArrayLike<number>;
}

/** One row of a problem: what its parts are, and what follows for its answer. */
export class TreeRow {
  readonly #problem: Problem;
  readonly #rounding: TreeRounding;
  readonly #head: number;
  readonly #query: Float32Array;
  readonly #still: Float64Array;

  constructor(problem: Problem, rounding: TreeRounding, head: number, row: number) {
    const { queries, features } = problem, from = (head * queries + row) * features;
    this.#problem = problem;
    this.#rounding = rounding;
    this.#head = head;
    this.#query = problem.query.subarray(from, from + features);
    this.#still = new Float64Array(problem.valueFeatures);
  }

  /** Its parts where it attends to a list. */
  ofList(list: WatchedList): RowPart[] {
    const { scale } = this.#problem, { logit } = this.#rounding;
    const displacement = Float64Array.from(this.#query, (x, t) => scale * x - list.centre[t]);
    return list.entries.flatMap(({ keys, ...entry }) => {
      const moves = Float64Array.from(keys, (key) => this.#product(displacement, key)), parts: RowPart[] = [];
      keys.forEach((key, at) => {
        if (key >= list.end || entry.weights[at] > 0) return;
        const logMass = Math.log(this.#rounding.negligible(1)) + list.logMass + moves[at] + logit;
        parts.push({ logMass, least: -Infinity, most: 0, value: this.#valueOf(key), moved: this.#still });
      });
      const weighs = (_: unknown, at: number) => entry.weights[at] > 0;
      const kept = { ...entry, keys: keys.filter(weighs), weights: entry.weights.filter(weighs) };
      if (kept.keys.length > 0) parts.push(this.#ofEntry(kept, moves.filter(weighs)));
      return parts;
    });
  }

  /** Its parts where it attends to keys one by one. */
  ofKeys(from: number, end: number): RowPart[] {
    const { scale } = this.#problem, { logit } = this.#rounding;
    return Array.from({ length: end - from }, (_, at) => ({
      logMass: scale * this.#product(this.#query, from + at),
      least: -logit,
      most: logit,
      value: this.#valueOf(from + at),
      moved: this.#still,
    }));
  }

  /** An entry whose keys all weigh something, and by how much the displacement moves their logits. */
  #ofEntry({ keys, weights, ...entry }: ListEntry, moves: Float64Array): RowPart {
    const { scale, valueFeatures } = this.#problem, mass = weights.reduce((a, b) => a + b, 0);
    const mean = weights.reduce((sum, w, at) => sum + w / mass * moves[at], 0);
    const farthest = moves.reduce((a, b) => Math.max(a, b)),
      range = farthest - moves.reduce((a, b) => Math.min(a, b));
    const rounded = this.#rounding.logMass(entry) + 2 * this.#rounding.logit * range;
    // Hoeffding's lemma, and that a mean is no more than the largest.
    const growth = Math.min(range ** 2 / 8, farthest - mean);
    return {
      logMass: scale * entry.key.reduce((sum, x, t) => sum + x * this.#query[t], 0) + entry.logWeight,
      least: -entry.halfVariance - rounded,
      most: growth - entry.halfVariance + rounded,
      value: entry.value,
      moved: Float64Array.from({ length: valueFeatures }, (_, c) => {
        const values = Array.from(keys, (key) => this.#valueOf(key)[c]);
        const extent = values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
        return Math.tanh(range / 4) * extent;
      }),
    };
  }

  #product(row: ArrayLike<number>, key: number): number {
    const { keys, features, key: rows } = this.#problem, from = (this.#head * keys + key) * features;
    let product = 0;
    for (let t = 0; t < features; t++) product += row[t] * rows[from + t];
    return product;
  }

  #valueOf(key: number): Float32Array {
    const { keys, valueFeatures, value } = this.#problem, from = (this.#head * keys + key) * valueFeatures;
    return value.subarray(from, from + valueFeatures);
  }
}

/** e^x, as far as that is a number: what is so far off says nothing of an output that cannot be. */
function exponential(x: number): number {
  return Math.exp(Math.min(600, x));
}

/** What parts say of the answer that was made of them. */
export interface AnswerBounds {
  /** Logarithm of the true mass of the row less that of the answer, at least and at most. */
  readonly logLeast: number;
  readonly logMost: number;
  /** [valueFeatures]: how far the answer is off, at most. */
  readonly output: Float64Array;
}

/** The bounds of docs/theory.md §5.1, of an answer and its log-sum-exp. */
export function boundsOfAnswer(
  parts: readonly RowPart[],
  output: ArrayLike<number>,
  logSumExp: number,
): AnswerBounds {
  const shares = parts.map(({ logMass }) => logMass - logSumExp);
  const logLeast = logSum(parts.map(({ least }, at) => shares[at] + least));
  const logMost = logSum(parts.map(({ most }, at) => shares[at] + most));
  const weights = parts.map(({ least, most }, at) => {
    const largest = exponential(shares[at] + most - logLeast);
    const taken = least > -Infinity ? exponential(shares[at]) : 0;
    return { largest, wrong: Math.max(largest - taken, taken - exponential(shares[at] + least - logMost)) };
  });
  const off = (x: number, c: number) =>
    parts.reduce((sum, { moved, value }, at) => {
      const { largest, wrong } = weights[at];
      return sum + largest * moved[c] + wrong * Math.abs(value[c] - x);
    }, 0);
  return { logLeast, logMost, output: Float64Array.from(output, off) };
}
