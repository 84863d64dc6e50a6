import type { Problem } from "./problem.ts";

/** Squares of keys must neither overflow nor underflow: a power of two goes from the keys to the scale. */
export function bringInRange(problem: Problem): Problem {
  const { key, scale, largestKey } = problem;
  if (largestKey === 0 || Math.abs(Math.log2(largestKey)) < 24) return problem;
  const factor = 2 ** Math.ceil(Math.log2(largestKey));
  return {
    ...problem,
    key: key.map((x) => x / factor),
    scale: scale * factor,
    largestKey: largestKey / factor,
  };
}
