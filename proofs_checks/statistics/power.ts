import { check, checkOpenUnit } from "./check.ts";
import { decideProbability } from "./sequential_decision.ts";

/** A test that looks after every trial, and stops when it is settled or has no trials left. */
export interface SequentialTest {
  /** Bound on the probability. */
  readonly bound: number;
  /** Most trials. */
  readonly most: number;
  /** Level of either verdict. */
  readonly level: number;
}

/** For each number of trials: events from which on the claim is refuted, and up to which it holds. */
interface Limits {
  readonly refuted: Int32Array;
  readonly holds: Int32Array;
}

const known = new Map<string, Limits>();

/**
 * Probability that a test of `decideProbability` refutes, where the event has a given probability: exact, by the distribution of
 * events among the trials that are still undecided.
 *
 * @example
 * ```ts
 * import { refutationProbability } from "./power.ts";
 * const test = { bound: 0.25, most: 60, level: 6e-5 };
 * console.log(refutationProbability(0.5, test).toFixed(2), refutationProbability(0.7, test).toFixed(2)); // 0.30 1.00
 * ```
 *
 * @throws {RangeError} If a probability is not one, or there are no trials.
 */
export function refutationProbability(probability: number, test: SequentialTest): number {
  check("tell power", probability >= 0 && probability <= 1, "probability must be from 0 to 1", probability);
  const { refuted, holds } = limitsOf(test);
  let undecided = new Float64Array(test.most + 1), found = 0;
  undecided[0] = 1;
  for (let trials = 1; trials <= test.most; trials++) {
    const next = new Float64Array(test.most + 1);
    for (let events = 0; events < trials; events++) {
      if (undecided[events] === 0) continue;
      next[events] += undecided[events] * (1 - probability);
      next[events + 1] += undecided[events] * probability;
    }
    for (let events = 0; events <= trials; events++) {
      if (events >= refuted[trials]) found += next[events];
      if (events >= refuted[trials] || events <= holds[trials]) next[events] = 0;
    }
    undecided = next;
  }
  return Math.min(1, found);
}

/**
 * The least probability of the event with which the test refutes with the given chance; undefined where no probability does.
 *
 * @throws {RangeError} As {@link refutationProbability}.
 */
export function detectableProbability(test: SequentialTest, power = 0.95): number | undefined {
  checkOpenUnit("tell power", "power", power);
  if (refutationProbability(1, test) < power) return undefined;
  let low = test.bound, high = 1;
  while (high - low > 1e-4) {
    const middle = (low + high) / 2;
    if (refutationProbability(middle, test) < power) low = middle;
    else high = middle;
  }
  return high;
}

/** Both limits only grow with the trials: each is sought from the one before. */
function limitsOf({ bound, most, level }: SequentialTest): Limits {
  check("tell power", Number.isSafeInteger(most) && most > 0, "most must be a positive integer", most);
  const name = `${bound} ${most} ${level}`, found = known.get(name);
  if (found) return found;
  const refuted = new Int32Array(most + 1), holds = new Int32Array(most + 1).fill(-1);
  let least = 0, largest = -1;
  for (let trials = 1; trials <= most; trials++) {
    const verdict = (events: number) => decideProbability(events, trials, { bound, level }).verdict;
    while (least <= trials && verdict(least) !== "refuted") least++;
    while (largest + 1 <= trials && verdict(largest + 1) === "holds") largest++;
    refuted[trials] = least;
    holds[trials] = largest;
  }
  const limits = { refuted, holds };
  known.set(name, limits);
  return limits;
}
