import { largestMagnitude } from "../../kernels/wasm/largest_magnitude.ts";
import type { Problem } from "./problem.ts";

/** Consecutive heads that go to half floats together. */
export interface HalfPart {
  readonly problem: Problem;
  /** Factor on the values of this part, a power of two. */
  readonly factor: number;
}

/** Most that the largest magnitudes of heads differ by that share a unit: their halves keep 20 of the 28 binades below it. */
const MOST_RATIO = 2 ** 8;
/** Magnitudes whose unit, divided by a sum of weights, is a normal float. */
const LEAST = 2 ** -60;

/**
 * Cuts a problem that may be held in half floats so that no head's rounding depends on another's magnitudes, and brings values
 * that are near the least floats to normal ones. Most problems stay whole.
 */
export function halfParts(problem: Problem): HalfPart[] {
  const { heads, keys, features, valueFeatures } = problem, parts: HalfPart[] = [];
  const largest = (data: Float32Array, perHead: number) =>
    Array.from(
      { length: heads },
      (_, head) => largestMagnitude(data.subarray(head * perHead, (head + 1) * perHead)),
    );
  const ofKeys = largest(problem.key, keys * features),
    ofValues = largest(problem.value, keys * valueFeatures);
  const shares = [new Spread(), new Spread()];
  let first = 0;
  for (let head = 0; head <= heads; head++) {
    const fits = head < heads && shares[0].fits(ofKeys[head]) && shares[1].fits(ofValues[head]);
    if (head > first && !fits) {
      parts.push(makePart(problem, first, head, shares[0].largest, shares[1].largest));
      first = head;
      shares.splice(0, 2, new Spread(), new Spread());
    }
    if (head < heads) [ofKeys, ofValues].forEach((magnitudes, of) => shares[of].add(magnitudes[head]));
  }
  return parts;
}

/** Magnitudes of heads that share a unit; zeros are near to anything. */
class Spread {
  largest = 0;
  #least = Infinity;

  fits(magnitude: number): boolean {
    return magnitude === 0 || this.largest === 0 ||
      Math.max(this.largest, magnitude) <= MOST_RATIO * Math.min(this.#least, magnitude);
  }

  add(magnitude: number): void {
    if (magnitude === 0) return;
    this.largest = Math.max(this.largest, magnitude);
    this.#least = Math.min(this.#least, magnitude);
  }
}

function makePart(
  problem: Problem,
  first: number,
  end: number,
  largestKey: number,
  largestValue: number,
): HalfPart {
  const { queries, keys, features, valueFeatures } = problem;
  const rows = (data: Float32Array, perHead: number) => data.subarray(first * perHead, end * perHead);
  const factor = largestValue > 0 && largestValue < LEAST ? 2 ** -Math.floor(Math.log2(largestValue)) : 1;
  const value = rows(problem.value, keys * valueFeatures);
  return {
    factor,
    problem: {
      ...problem,
      heads: end - first,
      query: rows(problem.query, queries * features),
      key: rows(problem.key, keys * features),
      value: factor === 1 ? value : value.map((x) => x * factor),
      logWeights: problem.logWeights && rows(problem.logWeights, keys),
      halves: { largestKey, largestValue: largestValue * factor },
    },
  };
}
