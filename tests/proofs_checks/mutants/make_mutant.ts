import type { Attend } from "../../../estimators/methods/method.ts";
import type { ApproximateName } from "../../../estimators/methods/methods.ts";
import { type Implementation, shipped } from "../../../proofs_checks/engine/implementation.ts";

/** A deliberately broken implementation, and the claim that must notice. */
export interface Mutant {
  readonly name: string;
  readonly claim: string;
  readonly family: string;
  readonly implementation: Implementation;
  /** The same without the fault, where it is not the shipped implementation. */
  readonly sound?: Implementation;
}

/** A mutant of some parts. */
export function mutant(name: string, claim: string, family: string, broken: Partial<Implementation>): Mutant {
  return { name, claim, family, implementation: { ...shipped, ...broken } };
}

/** A mutant of one method of the registry. */
export function methodMutant(
  fault: string,
  claim: string,
  family: string,
  name: ApproximateName,
  broken: (attend: Attend, ...args: Parameters<Attend>) => ReturnType<Attend>,
): Mutant {
  const attend: Attend = (...args) => broken(shipped.methods[name], ...args);
  return mutant(fault, claim, family, { methods: { ...shipped.methods, [name]: attend } });
}
