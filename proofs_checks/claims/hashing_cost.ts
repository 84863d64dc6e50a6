import { Purpose, RandomStream } from "../../kernels/random.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim } from "../engine/claim.ts";

/** So many that tables hold a small part of them. */
const POINTS = 1e8;
/** From one density to the least. */
const DECADES = 3;

/** What hashing is for: a uniform sample takes twice as many points for half the density. */
export const hashingCost: Claim = {
  name: "hashing-cost",
  statement:
    "Draws of the hashing-based estimator need grow as μ^(−3/4) at most as densities μ fall, not as 1/μ",
  formula: "d ln V/d ln(1/μ) <= 0.75, V the planned variance of a draw over its squared mean",
  source:
    "Charikar and Siminelakis 2017, whose hashes reach 1/2 up to slowly growing factors; docs/theory.md §1.2",
  assumptions: `${POINTS} points; densities from about 10⁻³ down by ${DECADES} decades`,
  measurement: "slope of ln V from the largest density to the least",
  rule: { kind: "slope", low: 0.4, high: 0.75 },
  bound: 0.75,
  cases: [ownCase(noInput("densities"))],
  anySource: false,
  n: 1,
  runs: 8,
  size: () => 1,
  run({ implementation, seed }) {
    const floor = 1e-3 * (0.5 + new RandomStream(seed, Purpose.data).uniform());
    const [first, last] = [floor, floor / 10 ** DECADES].map((density) =>
      implementation.planHashing(density, POINTS).relativeVariance
    );
    return Promise.resolve({ measured: Math.log(last / first) / Math.log(10 ** DECADES) });
  },
};
