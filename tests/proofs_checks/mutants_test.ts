import { assertEquals, assertNotEquals } from "@std/assert";
import { openDevice } from "../../kernels/device.ts";
import { claims } from "../../proofs_checks/claims/claims.ts";
import { shipped } from "../../proofs_checks/engine/implementation.ts";
import { runCase } from "../../proofs_checks/engine/run_case.ts";
import { decide, stoppingLevel } from "../../proofs_checks/engine/verdicts.ts";
import type { Mutant } from "./mutants/make_mutant.ts";
import { mutants } from "./mutants/mutants.ts";
import { withoutMutant } from "./mutants/without_mutant.ts";

/** As many verdicts share the level as in the whole verification: what is caught here is caught there. */
const FAMILY_SIZE = claims.reduce((sum, { cases }) => sum + cases.length, 0);

async function verdict({ claim: name, family }: Mutant, implementation: Mutant["implementation"]) {
  // Broken kernels are written for the reference; what runs on the host is as broken on a faster device.
  const prefer = implementation.kernels === shipped.kernels ? "wasm" : "reference";
  using device = await openDevice({ prefer });
  const claim = claims.find((candidate) => candidate.name === name)!;
  const claimCase = claim.cases.find(({ source }) => source.name === family)!;
  const options = { device, implementation, seed: 5, stopAt: stoppingLevel(FAMILY_SIZE) };
  const outcome = await runCase(claim, claimCase, options);
  // A mutant that throws has not been caught by what it claims.
  assertEquals(outcome.broken, null);
  return { ...decide([outcome.logPValues], FAMILY_SIZE)[0], runs: outcome.runs, measured: outcome.measured };
}

Deno.test("every claim has a mutant, or a reason for having none", () => {
  const names = claims.map(({ name }) => name), broken = new Set(mutants.map(({ claim }) => claim));
  assertEquals(names.filter((name) => broken.has(name) === withoutMutant.has(name)), []);
  assertEquals([...withoutMutant.keys()].filter((name) => !names.includes(name)), []);
});

Deno.test("every mutant names a claim and a family that exist", () => {
  for (const { name, claim, family } of mutants) {
    const found = claims.find((candidate) => candidate.name === claim);
    assertEquals(found?.cases.some(({ source }) => source.name === family), true, name);
  }
});

for (const mutant of mutants) {
  Deno.test(`mutant caught: ${mutant.name}, by ${mutant.claim} on ${mutant.family}`, async () => {
    const broken = await verdict(mutant, mutant.implementation);
    assertEquals(broken.verdict, "refuted", JSON.stringify(broken));
    const sound = await verdict(mutant, mutant.sound ?? shipped);
    assertNotEquals(sound.verdict, "refuted", JSON.stringify(sound));
  });
}
