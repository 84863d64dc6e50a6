import type { Problem } from "../../estimators/core/problem.ts";
import type { Budget } from "../../estimators/methods/method.ts";
import { approximateMethods, type ApproximateName } from "../../estimators/methods/methods.ts";
import { noInput, ownCase } from "../engine/cases.ts";
import type { Claim, ClaimCase } from "../engine/claim.ts";
import { NotApplicable } from "../engine/outcome.ts";

/** A claim about some methods, without its name and them. */
export type MethodClaim = Omit<Claim, "name" | "cases">;

/** Of fewer keys a quarter is no sample. */
export const LEAST_KEYS: number = 64;
/** A quarter of the keys. */
export const budgetOf = (keys: number, seed: number): Budget => ({
  bucketSize: Math.ceil(keys / 8),
  samples: Math.ceil(keys / 8),
  seed,
});

/** One case for each of some methods of the registry. */
export function casesOf(takes: (name: ApproximateName) => boolean): ClaimCase[] {
  const names = Object.keys(approximateMethods) as ApproximateName[];
  return names.filter(takes).map((name) => ownCase(noInput(name)));
}

/**
 * Says that a method does not take a problem.
 *
 * @throws {NotApplicable} With its own reason.
 */
export function requireTaken(name: ApproximateName, problem: Problem, budget: Budget): void {
  const refused = approximateMethods[name].refusal?.(problem, budget);
  if (refused !== undefined) throw new NotApplicable(refused);
}
