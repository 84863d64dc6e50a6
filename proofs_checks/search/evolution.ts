import type { RandomStream } from "../../kernels/random.ts";

/** A candidate and what its evaluations gave. */
export interface Candidate<Genes> {
  readonly genes: Genes;
  readonly scores: number[];
}

/** How candidates come about. */
export interface Variation<Genes> {
  /** Any candidate. */
  random(random: RandomStream): Genes;
  /** A child of two parents, with some change of a size from 0 to 1. */
  child(first: Genes, second: Genes, size: number, random: RandomStream): Genes;
}

const POPULATION = 8;
/** Of the evaluations that are asked for, the share spent on the best candidate alone. */
const CONFIRMATION = 0.25;

/**
 * A steady-state evolution strategy for noisy scores, with no derivative of anything (Beyer and Schwefel, "Evolution strategies",
 * 2002): parents win tournaments of their mean scores, children replace the worst, and steps shrink as the budget is used
 * up. A best score of many noisy ones is too good, so the last quarter of the budget evaluates the best candidate again and
 * again: its mean, not its best, is the result.
 */
export class Evolution<Genes> {
  readonly #variation: Variation<Genes>;
  readonly #random: RandomStream;
  readonly #budget: number;
  readonly #population: Candidate<Genes>[] = [];
  #asked = 0;
  #current: Candidate<Genes> | undefined;

  constructor(variation: Variation<Genes>, budget: number, random: RandomStream) {
    this.#variation = variation;
    this.#budget = budget;
    this.#random = random;
  }

  /** The next candidate to evaluate. */
  ask(): Genes {
    const used = this.#asked++ / this.#budget;
    if (this.#population.length >= POPULATION && used >= 1 - CONFIRMATION) this.#current = this.best;
    else this.#current = { genes: this.#next(used), scores: [] };
    return this.#current!.genes;
  }

  /** The score of the candidate asked for last: larger is better; no number counts as best of all. */
  tell(score: number): void {
    const current = this.#current!;
    current.scores.push(Number.isNaN(score) ? Infinity : score);
    if (current.scores.length > 1) return;
    this.#population.push(current);
    if (this.#population.length > POPULATION) {
      this.#population.sort((a, b) => meanScore(b) - meanScore(a));
      this.#population.pop();
    }
  }

  /** The candidate of the largest mean score so far. */
  get best(): Candidate<Genes> | undefined {
    return this.#population.reduce<Candidate<Genes> | undefined>(
      (best, candidate) => best && meanScore(best) >= meanScore(candidate) ? best : candidate,
      undefined,
    );
  }

  #next(used: number): Genes {
    if (this.#population.length < POPULATION) return this.#variation.random(this.#random);
    return this.#variation.child(
      this.#parent(),
      this.#parent(),
      Math.max(0.05, 0.4 * (1 - used)),
      this.#random,
    );
  }

  #parent(): Genes {
    const pick = () => this.#population[this.#random.integer(this.#population.length)];
    const [a, b] = [pick(), pick()];
    return (meanScore(a) >= meanScore(b) ? a : b).genes;
  }
}

/** Mean of the scores of a candidate. */
export function meanScore({ scores }: Candidate<unknown>): number {
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
