import { assert, assertEquals } from "@std/assert";
import { claims } from "../../proofs_checks/claims/claims.ts";
import { slack } from "../../proofs_checks/claims/slack.ts";
import { openDevice } from "../../kernels/device.ts";
import { verify } from "../../proofs_checks/engine/verify.ts";

/** Runs that show how near the bound a claim comes. */
const RUNS = 24;
/** Nearer than this share of the bound is near. */
const NEAR = 0.3;

Deno.test("reasons for staying far inside of a bound are about claims that there are", () => {
  const names = claims.map(({ name }) => name);
  assertEquals([...slack.keys()].filter((name) => !names.includes(name)), []);
});

Deno.test("every claim with a bound comes near it on some input, or says why it cannot", async () => {
  using device = await openDevice({ prefer: "wasm" });
  const due = claims.filter(({ name, rule, bound, cases }) =>
    !slack.has(name) && bound > 0 && (rule.kind === "always" || rule.kind === "probability") &&
    cases.some(({ expected }) => expected === "holds")
  );
  assert(due.length > 10);
  const far: string[] = [];
  for (const { name, cases } of due) {
    let nearest = 0;
    // Inputs that a claim makes for itself come last.
    for (const { source, expected } of cases.toReversed()) {
      if (expected !== "holds" || nearest >= NEAR) continue;
      const { results: [{ measured, bound, verdict }] } = await verify({
        claims: [name],
        families: [source.name],
        runs: RUNS,
        device,
      });
      if (verdict !== "not-applicable") nearest = Math.max(nearest, measured / bound);
    }
    if (nearest < NEAR) far.push(`${name}: ${nearest}`);
  }
  assertEquals(far, []);
});
