import { shipped } from "../../../proofs_checks/engine/implementation.ts";
import type { Backend } from "../../../kernels/backend.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { DeviceKind } from "../../../kernels/backend.ts";
import { openDevice } from "../../../kernels/device.ts";
import { DeviceLostError } from "../../../kernels/errors.ts";
import { claims } from "../../../proofs_checks/claims/claims.ts";
import { noInput, ownCase, searchedCase } from "../../../proofs_checks/engine/cases.ts";
import type { Claim } from "../../../proofs_checks/engine/claim.ts";
import { standingOf } from "../../../proofs_checks/engine/standing.ts";
import type { VerificationResult } from "../../../proofs_checks/engine/report.ts";
import { verify } from "../../../proofs_checks/engine/verify.ts";
import { families } from "../../../proofs_checks/inputs/families.ts";
import { mergeReports } from "../../../proofs_checks/report/merge.ts";
import { makeClaim } from "./make_claim.ts";

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

/** What the replay of a result gives. */
async function replayed({ replay }: VerificationResult) {
  const words = replay.split(" "), after = (name: string) => words[words.indexOf(name) + 1];
  return await verify({
    claims: [after("--claim")],
    families: [after("--family")],
    seed: Number(after("--seed")),
    runs: Number(after("--runs")),
    device: after("--device") as DeviceKind,
  });
}

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
    const again = await replayed(result);
    // The same verdict on its own; Holm's procedure may grant a little more confidence in company.
    const alone = again.results.map((one) => ({ ...one, confidence: result.confidence }));
    assertEquals(untimed(alone), untimed([result]));
  }
});

Deno.test("a search that refutes before its runs are used up is replayed with the runs that it shared out", async () => {
  // Evolution takes smaller steps as its runs are used up: with fewer of them it goes elsewhere.
  const claim = makeClaim({
    name: "long-queries",
    rule: { kind: "probability", allowed: 0.25 },
    cases: [searchedCase],
    async run({ input }) {
      const { query } = await input({ features: 4, valueFeatures: 1 });
      return { measured: Math.hypot(...query.data) / 60 };
    },
  });
  const options = { claims: [claim], device: "reference" as const, seed: 3 };
  const { results: [result] } = await verify({ ...options, runs: 150 });
  assertEquals(result.verdict, "refuted");
  assertLess(result.runs, 150);
  const runs = Number(/runs: (\d+)/.exec(result.replay)![1]);
  const { results: [again] } = await verify({ ...options, runs });
  assertEquals({ ...again, seconds: 0 }, { ...result, seconds: 0 });
  const { results: [other] } = await verify({ ...options, runs: result.runs });
  assertNotEquals({ ...other, seconds: 0, replay: "" }, { ...result, seconds: 0, replay: "" });
});

Deno.test("what cannot run has a verdict of its own, even where a refutation is expected; the rest goes on", async () => {
  using device = await openDevice({ prefer: "reference" });
  let jobs = 0;
  const kernels = (backend: Backend): Backend => {
    // As if the device were lost after a few jobs.
    if (++jobs > 4) throw new DeviceLostError("the driver went away");
    return backend;
  };
  const choice = {
    claims: ["block-removal", "residual-mass"],
    families: ["clustered", "uniform-softmax"],
    runs: 20,
  };
  const report = await verify({ ...choice, device, implementation: { ...shipped, kernels } });
  const verdicts = report.results.map((
    { claim, family, verdict, expected, reason },
  ) => [claim, family, verdict, expected, reason]);
  assertEquals(verdicts, [
    // These need no device.
    ["residual-mass", "clustered", "inconclusive", "holds", null],
    ["residual-mass", "uniform-softmax", "inconclusive", "holds", null],
    ["block-removal", "clustered", "error", "holds", "run 4: the driver went away"],
    ["block-removal", "uniform-softmax", "error", "refuted", "run 0: the driver went away"],
  ]);
  assertEquals(report.results.map(({ confidence }) => confidence).slice(2), [0, 0]);
  const { verification } = mergeReports([JSON.parse(JSON.stringify(report))]);
  assertEquals(verification!.results.map(({ verdict }) => verdict), [
    "inconclusive",
    "inconclusive",
    "error",
    "error",
  ]);
});

Deno.test("a refutation by NaN is never the one that was expected", () => {
  const refuted = { verdict: "refuted", expected: "refuted" } as const;
  assertEquals(standingOf({ ...refuted, worst: 2 }), "expected");
  for (const worst of [Infinity, NaN, null as unknown as number]) {
    assertEquals(standingOf({ ...refuted, worst }), "against");
  }
});

Deno.test("verify() takes claims of one's own beside names, and counts their verdicts", async () => {
  const own = makeClaim({ name: "own", cases: [ownCase(noInput("here")), ownCase(noInput("there"))] });
  const registered = claims.reduce((sum, { cases }) => sum + cases.length, 0);
  const report = await verify({ claims: ["gray-order", own, own], device: "reference", seed: 4 });
  assertEquals(report.family_size, registered + 2);
  assertEquals(report.results.map(({ claim, family, verdict }) => `${claim} ${family} ${verdict}`), [
    "gray-order all-patterns holds",
    "own here holds",
    "own there holds",
  ]);
  assertStringIncludes(
    report.results[1].replay,
    'verify({ claims: [claim], families: ["here"], seed: 4, runs: 60',
  );
  const byObject = await verify({
    claims: [claims.find(({ name }) => name === "gray-order")!],
    device: "reference",
    seed: 4,
  });
  assertEquals({ ...byObject.results[0], seconds: 0 }.replay, report.results[0].replay);

  const twin = makeClaim({ name: "gray-order" });
  await assertRejects(
    () => verify({ claims: [twin] }),
    RangeError,
    "names of their own: current value is gray-order twice",
  );
  for (const claim of [{}, Object.create(null), Symbol("claim"), null]) {
    await assertRejects(
      () => verify({ claims: [claim as Claim] }),
      TypeError,
      "claims[0] must be the name of a claim or a claim",
    );
  }
});

Deno.test("verify() refuses numbers out of range and sizes beyond any machine before any work", async () => {
  const never = { onResult: () => assert(false, "nothing runs") };
  for (
    const [options, text] of [
      [{ n: 0 }, "n must be an integer from 1 to 2^53 − 1: current value is 0"],
      [{ n: 2.5 }, "n must be an integer from 1 to 2^53 − 1: current value is 2.5"],
      [{ runs: 0 }, "runs must be an integer from 1"],
      [{ seed: -1 }, "seed must be an integer from 0"],
      [{ n: 1e9 }, "more of the claims do not take it either"],
      [{ n: 30_000, claims: ["merge-identity"] }, "n must be at most 23170 for merge-identity, one run"],
      [{ n: 1e9, claims: ["hash-collision"] }, "n must be at most 2097152 for hash-collision, one run"],
    ] as const
  ) {
    await assertRejects(() => verify({ ...never, ...options }), RangeError, text);
  }
});

Deno.test("every claim applies at its own size, and none fails for want of keys", async () => {
  for (const n of [1, 2]) {
    const { results } = await verify({ n, runs: 2, device: "reference" });
    const wrong = results.filter(({ verdict, expected }) =>
      verdict === "error" || verdict === "refuted" && expected === "holds"
    );
    assertEquals(wrong.map(({ replay, note }) => `${replay}: ${note}`), []);
    assert(results.some(({ verdict }) => verdict === "not-applicable"));
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
  const one = await verify(options), other = { ...await verify(options), level: 0.01 };
  assertThrows(() => mergeReports([one, one]), TypeError, "in more than one share");
  assertThrows(() => mergeReports([one, other]), TypeError, "shares must be of one verification");
  assertThrows(() => mergeReports([{ ...one, version: 99 }]), TypeError, "version 99");
});
