import { assert, assertEquals, assertGreaterOrEqual, assertRejects, assertThrows } from "@std/assert";
import { claims } from "../../../proofs_checks/claims/claims.ts";
import { verify } from "../../../proofs_checks/engine/verify.ts";
import { families } from "../../../proofs_checks/inputs/families.ts";
import { mergeReports } from "../../../proofs_checks/report/merge.ts";

const some = { claims: ["residual-mass", "product-slope", "gray-order"], device: "reference" as const };

Deno.test("claims are named apart, say what they are, and cover the inputs", () => {
  assertGreaterOrEqual(claims.length, 18);
  assertEquals(new Set(claims.map(({ name }) => name)).size, claims.length);
  const covered = new Set<string>();
  for (const claim of claims) {
    assert(/^[a-z0-9-]+$/.test(claim.name), claim.name);
    for (const text of [claim.statement, claim.formula, claim.source, claim.assumptions, claim.measurement]) {
      assert(text.length > 3, claim.name);
    }
    const names = claim.cases.map(({ source }) => source.name);
    assertEquals(new Set(names).size, names.length, claim.name);
    for (const { source, expected, why } of claim.cases) {
      covered.add(source.name);
      assertEquals(expected === "refuted", why !== undefined, `${claim.name} on ${source.name}`);
    }
  }
  assertEquals(families.filter(({ name }) => !covered.has(name)), []);
});

Deno.test("verify() gives the same again, whole or in shards joined, and each line by its replay", async () => {
  const untimed = (results: readonly object[]) => results.map((result) => ({ ...result, seconds: 0 }));
  const whole = await verify(some), shards = [];
  for (const index of [1, 2, 3]) shards.push(await verify({ ...some, shard: { index, count: 3 } }));
  const { verification: joined } = mergeReports(shards);
  const sorted = (results: readonly { claim: string; family: string }[]) =>
    results.toSorted((a, b) => `${a.claim} ${a.family}` < `${b.claim} ${b.family}` ? -1 : 1);
  assertEquals(untimed(sorted(joined!.results)), untimed(sorted(whole.results)));
  assertEquals(shards.map(({ results }) => results.length).reduce((a, b) => a + b), whole.results.length);

  for (const result of whole.results.slice(0, 4)) {
    const words = result.replay.split(" "), after = (name: string) => words[words.indexOf(name) + 1];
    const again = await verify({
      claims: [after("--claim")],
      families: [after("--family")],
      seed: Number(after("--seed")),
      runs: Number(after("--runs")),
      device: "reference",
    });
    // The same verdict on its own; Holm's procedure may grant a little more confidence in company.
    const alone = again.results.map((one) => ({ ...one, confidence: result.confidence }));
    assertEquals(untimed(alone), untimed([result]));
  }
});

Deno.test("verify() survives JSON, and refuses names and shards that there are not", async () => {
  const report = await verify({ ...some, claims: ["gray-order"], runs: 2 });
  assertEquals(JSON.parse(JSON.stringify(report)), report);
  await assertRejects(() => verify({ claims: ["magic"] }), RangeError, "claim must be one of");
  await assertRejects(() => verify({ families: ["magic"] }), RangeError, "family must be one of");
  await assertRejects(() => verify({ shard: { index: 3, count: 2 } }), RangeError, "shard must be I/N");
});

Deno.test("mergeReports() refuses what does not belong together", async () => {
  const options = { ...some, claims: ["gray-order"], runs: 1 };
  const one = await verify(options), other = await verify({ ...options, seed: 2 });
  assertThrows(() => mergeReports([one, one]), TypeError, "in more than one share");
  assertThrows(() => mergeReports([one, other]), TypeError, "shares must be of one verification");
  assertThrows(() => mergeReports([{ ...one, version: 99 }]), TypeError, "version 99");
});
