import { assert, assertEquals, assertGreaterOrEqual, assertRejects, assertStringIncludes } from "@std/assert";
import { claims } from "../../../proofs_checks/claims/claims.ts";
import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import { verify } from "../../../proofs_checks/engine/verify.ts";

const CHECK = { claims: ["product-bound"], families: ["gaussian"], runs: 250, device: "reference" } as const;

Deno.test("delta: guarantees are asked for what the verdict allows, and the replay says so", async () => {
  const asked: number[] = [];
  const implementation: typeof shipped = {
    ...shipped,
    bernsteinSamples(terms) {
      asked.push(terms.delta);
      return shipped.bernsteinSamples(terms);
    },
  };
  const { delta, claims: [claim], results: [result] } = await verify({
    ...CHECK,
    delta: 0.05,
    implementation,
  });
  assertEquals([delta, new Set(asked)], [0.05, new Set([0.05])]);
  assertStringIncludes(claim.rule, "at most 0.05");
  assertEquals(result.verdict, "holds");
  // ln(2/level)/−ln(1 − δ) runs without a failure.
  assertGreaterOrEqual(result.runs, 200);
  assertStringIncludes(result.replay, "--delta 0.05");
  const own = await verify(CHECK);
  assertEquals(own.delta, null);
  assert(own.results[0].runs < result.runs / 4 && !own.results[0].replay.includes("--delta"));
});

Deno.test("delta: measurements keep their own, and no guarantee has one of its own", async () => {
  const measurement = claims.find(({ name }) => name === "practical-error")!;
  const { claims: [{ rule }] } = await verify({
    ...CHECK,
    claims: [measurement.name],
    runs: 2,
    delta: 0.05,
  });
  assertStringIncludes(rule, "at most 0.25");
  const guarantees = claims.filter(({ promisedBy, ownDelta }) => promisedBy && ownDelta).map(({ name }) =>
    name
  );
  assertEquals(guarantees, []);
});

Deno.test("delta: what is no probability is refused", async () => {
  for (const delta of [0, 1, NaN, -0.1]) {
    await assertRejects(() => verify({ ...CHECK, delta }), RangeError, "delta must lie between 0 and 1");
  }
});
