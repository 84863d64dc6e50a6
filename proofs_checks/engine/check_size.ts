import { checkInteger } from "../../kernels/check_values.ts";
import type { Chosen } from "./choose_cases.ts";
import type { Claim } from "./claim.ts";

/** Numbers that one run may hold or pairs that it may evaluate: 4 GiB in float64, and some minutes. */
const MOST_NUMBERS = 2 ** 29;

/**
 * Refuses a size before any work.
 *
 * @param n Keys, in the place of each claim's own number.
 * @throws {RangeError} If it is no positive integer, or one run of a claim would take more than {@link MOST_NUMBERS} numbers.
 */
export function checkSize(cases: readonly Chosen[], n: number | undefined): void {
  if (n === undefined) return;
  checkInteger("verify", "n", n, 1);
  const tooLarge = [...new Set(cases.map(([claim]) => claim))].filter((claim) =>
    sizeAt(claim, n) > MOST_NUMBERS
  );
  if (tooLarge.length === 0) return;
  const [first, ...others] = tooLarge;
  throw new RangeError(
    `Cannot verify: n must be at most ${largestSize(first)} for ${first.name}${
      others.length > 0 ? ` (${others.length} more of the claims do not take it either)` : ""
    }, one run of which would take about ${
      sizeAt(first, n).toExponential(0)
    } numbers, where ${MOST_NUMBERS} is the most: ` +
      `current value is ${n}`,
  );
}

function sizeAt(claim: Claim, n: number): number {
  return claim.size ? claim.size(n) : n * n;
}

/** The largest n that fits: sizes grow with it. */
function largestSize(claim: Claim): number {
  let fits = 1, fails = 2 ** 31;
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    if (sizeAt(claim, middle) <= MOST_NUMBERS) fits = middle;
    else fails = middle;
  }
  return fits;
}
