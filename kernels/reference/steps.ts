/**
 * A primitive in steps. The first one gives its results, still empty, having looked at nothing but sizes; the others fill them
 * in and may be as far apart as one can wait for a timer or an abort.
 */
export type Steps<T> = Generator<T | undefined, void, void>;

/** The rest of a primitive that has begun. */
export class Pending {
  readonly #steps: Steps<unknown>;
  #done = false;

  constructor(steps: Steps<unknown>) {
    this.#steps = steps;
  }

  /** Takes steps until a moment of `performance.now()`; true once all are done. */
  advance(end: number): boolean {
    while (!this.#done && performance.now() < end) this.#done = this.#steps.next().done === true;
    return this.#done;
  }

  /** Takes all steps that are left. */
  finish(): void {
    while (!this.#done) this.#done = this.#steps.next().done === true;
  }
}

/** The results of a primitive, to be filled in by its further steps. */
export function begin<T>(steps: Steps<T>): T {
  return steps.next().value as T;
}

/** Begins a primitive; whoever reads its results before the rest has run has that run at once. */
export function defer<T extends object>(steps: Steps<T>): { results: T; pending: Pending } {
  const results = begin(steps), pending = new Pending(steps);
  const arrays = "length" in results ? [results] : Object.values(results);
  for (const array of arrays) (array as { pending?: Pending }).pending = pending;
  return { results, pending };
}

/** Runs a primitive to its end. */
export function atOnce<A, T extends object>(primitive: (args: A) => Steps<T>): (args: A) => T {
  return (args) => {
    const { results, pending } = defer(primitive(args));
    pending.finish();
    return results;
  };
}
