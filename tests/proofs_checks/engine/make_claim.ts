import { noInput, ownCase } from "../../../proofs_checks/engine/cases.ts";
import type { Claim } from "../../../proofs_checks/engine/claim.ts";

/** A claim for tests, with what is given in the place of its dull parts. */
export function makeClaim(parts: Partial<Claim>): Claim {
  return {
    name: "made-up",
    statement: "",
    formula: "",
    source: "",
    assumptions: "",
    measurement: "",
    rule: { kind: "always", allowed: 0.25 },
    bound: 1,
    cases: [ownCase(noInput("nothing"))],
    anySource: false,
    n: 16,
    runs: 60,
    run: () => Promise.resolve({ measured: 0 }),
    ...parts,
  };
}
