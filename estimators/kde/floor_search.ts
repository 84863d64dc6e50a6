import type { Backend } from "../../kernels/backend.ts";
import { pickRows } from "../linear_algebra/pick_rows.ts";
import type { CentredPoints } from "./centred_points.ts";
import { type DensityEstimate, type DensityEstimator, type DensityTarget, Evaluations } from "./density.ts";
import { logKernelSums } from "./kernel_sums.ts";

/** An estimator that is tuned to one least density at a time. */
export interface FloorEstimator {
  /** Kernel evaluations that this takes for one of the rows, in expectation. */
  kernelEvaluationsAt(floor: number, delta: number, rows: Uint32Array): number;
  /**
   * Estimates densities at some of the queries: with probability 1 − delta each, the error is at most epsilon times
   * the density or epsilon times the floor, whichever is larger.
   *
   * @param rows Which of the queries.
   */
  estimateAt(rows: Uint32Array, floor: number, delta: number, signal?: AbortSignal): Promise<DensityEstimate>;
}

/**
 * Makes a {@link FloorEstimator} for queries [queries, features], placed as the points are; undefined where it could not answer them
 * rightly, so that they are answered exactly.
 */
export type OpenFloorEstimator = (
  queries: Float32Array,
  cost: Evaluations,
  signal?: AbortSignal,
) => FloorEstimator | undefined | Promise<FloorEstimator | undefined>;

/** Ratio of one guess to the next: the guesses before the last cost a third of it at most. */
const STEP = 4;

/**
 * Finds for each query a floor that its density allows, since a lower one costs more. Guesses are 1/4, 1/16, … and last the
 * target's floor. An answer of at least (1 + epsilon) · guess is taken, because a density below the guess gives one only when the
 * estimate fails; any other answer says which guess to try next. The failure probability is split evenly over all
 * guesses, so it does not matter which of them are tried. Queries for which a guess would cost as many evaluations as
 * there are points are answered exactly.
 */
export class SearchedDensity implements DensityEstimator {
  readonly count: number;
  readonly features: number;
  readonly #backend: Backend;
  readonly #points: CentredPoints;
  readonly #target: DensityTarget;
  readonly #open: OpenFloorEstimator;

  constructor(backend: Backend, points: CentredPoints, target: DensityTarget, open: OpenFloorEstimator) {
    this.#backend = backend;
    this.#points = points;
    this.#target = target;
    this.#open = open;
    this.count = points.count;
    this.features = points.features;
  }

  async logDensity(queries: Float32Array, signal?: AbortSignal): Promise<DensityEstimate> {
    const { epsilon, densityFloor } = this.#target;
    const placed = this.#points.place(queries), cost = new Evaluations();
    const answers = new Float64Array(queries.length / this.features).fill(-Infinity);
    const guesses = guessesDownTo(densityFloor), delta = this.#target.delta / guesses.length;
    const estimator = await this.#open(placed, cost, signal);
    const next = new Uint8Array(answers.length), end = guesses.length;
    for (const [at, guess] of guesses.entries()) {
      const due = Uint32Array.from(answers.keys()).filter((row) => next[row] === at);
      if (due.length === 0) continue;
      if (!estimator || estimator.kernelEvaluationsAt(guess, delta, due) >= this.count) {
        // Lower guesses cost more still.
        const left = Uint32Array.from(answers.keys()).filter((row) => next[row] >= at && next[row] < end);
        await this.#answerExactly(placed, left, answers, cost, signal);
        break;
      }
      const estimate = await estimator.estimateAt(due, guess, delta, signal);
      cost.add(estimate);
      due.forEach((row, index) => {
        answers[row] = estimate.logDensity[index];
        const least = (floor: number) => Math.log((1 + epsilon) * floor);
        const lower = guesses.findIndex((floor, later) => later > at && answers[row] >= least(floor));
        if (answers[row] >= least(guess) || at === end - 1) next[row] = end;
        else next[row] = lower === -1 ? end - 1 : lower;
      });
    }
    return cost.with(answers);
  }

  async #answerExactly(
    queries: Float32Array,
    rows: Uint32Array,
    answers: Float64Array,
    cost: Evaluations,
    signal?: AbortSignal,
  ): Promise<void> {
    const picked = pickRows(queries, this.features, rows);
    const sums = await logKernelSums(this.#backend, this.#points, picked, { signal });
    rows.forEach((row, at) => answers[row] = sums[at] - Math.log(this.count));
    cost.add({ kernelEvaluations: rows.length * this.count });
  }
}

/** 1/4, 1/16, … and last the floor itself. */
export function guessesDownTo(floor: number): number[] {
  const guesses: number[] = [];
  for (let guess = 1 / STEP; guess > floor; guess /= STEP) guesses.push(guess);
  return [...guesses, floor];
}
