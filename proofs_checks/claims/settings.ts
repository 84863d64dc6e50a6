import { NotApplicable } from "../engine/outcome.ts";

/**
 * Probability of failure that the checked guarantees are asked for. They hold for any δ; a large one is refuted and confirmed
 * with the fewest runs.
 */
export const DELTA = 0.25;

/** Features of values in claims that do not depend on them: few, for cheap runs. */
export const VALUE_FEATURES = 16;

/** Relative rounding of single precision: 2^−23. */
export const SINGLE = 2 ** -23;

/** Numbers that a run holds whose every array is a few hundred times as long as there are keys. */
export const linearSize = (n: number): number => 256 * n;

/**
 * Says that a statement is about more keys than there are: a share of the keys is no sample, and no block, where it is a handful.
 *
 * @throws {NotApplicable} If there are fewer keys than that.
 */
export function checkKeys(keys: number, least: number, why: string): void {
  if (keys < least) throw new NotApplicable(`${keys} keys are too few: ${why}`);
}
