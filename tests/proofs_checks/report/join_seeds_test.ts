import { assertAlmostEquals, assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import type { Claim } from "../../../proofs_checks/engine/claim.ts";
import { logEValues } from "../../../proofs_checks/engine/evidence.ts";
import type { VerificationReport } from "../../../proofs_checks/engine/report.ts";
import { mergeReports } from "../../../proofs_checks/report/merge.ts";
import { makeClaim } from "../engine/make_claim.ts";
import { verificationFile } from "./reports.ts";

const CLAIMS = ["residual-mass", "product-bound"];

/** Few runs, so that no seed settles anything alone. */
const ofSeed = (seed: number, options: object = {}) =>
  verificationFile({ claims: CLAIMS, families: ["gaussian", "sink-key"], runs: 20, seed, ...options });

/** The evidence for each case, by its name. */
const evidence = ({ results }: VerificationReport) =>
  new Map(results.map(({ claim, family, log_e: logE }) => [`${claim} ${family}`, logE!]));

Deno.test("seeds: evidence multiplies, whatever the order, and settles what no seed does alone", async () => {
  const [one, two, three] = await Promise.all([1, 2, 3].map((seed) => ofSeed(seed)));
  assertEquals(new Set(one.results.map(({ verdict }) => verdict)), new Set(["inconclusive"]));
  const both = mergeReports([one, two]).verification!, all = mergeReports([both, three]).verification!;
  assertEquals([both.seeds, all.seeds, all.seed], [[1, 2], [1, 2, 3], 1]);
  assertEquals(new Set(both.results.map(({ verdict }) => verdict)), new Set(["holds"]));
  const [ofOne, ofTwo] = [one, two].map(evidence);
  for (const [name, { holds, refuted }] of evidence(both)) {
    assertAlmostEquals(holds, ofOne.get(name)!.holds + ofTwo.get(name)!.holds, 1e-9);
    assertAlmostEquals(refuted, ofOne.get(name)!.refuted + ofTwo.get(name)!.refuted, 1e-9);
  }
  const otherwise = mergeReports([three, mergeReports([two, one]).verification]).verification!;
  for (const [name, { holds }] of evidence(all)) {
    assertAlmostEquals(evidence(otherwise).get(name)!.holds, holds, 1e-9);
  }
  const [first] = all.results;
  assertEquals([first.runs, first.seeds, first.violations], [60, [1, 2, 3], 0]);
});

Deno.test("seeds: shards of several seeds are joined seed by seed", async () => {
  const shards = await Promise.all(
    [1, 2].flatMap((seed) => [1, 2].map((index) => ofSeed(seed, { shard: { index, count: 2 } }))),
  );
  const { verification, problems } = mergeReports(shards);
  const whole = mergeReports([await ofSeed(1), await ofSeed(2)]).verification!;
  assertEquals(problems, []);
  assertEquals(Object.fromEntries(evidence(verification!)), Object.fromEntries(evidence(whole)));
  const [missing, command, ...others] = mergeReports(shards.slice(1)).problems;
  assertEquals([missing, others], ["1 of 2 shards is missing: 1", []]);
  assertMatch(command, /^missing shard 1: .* --seed 1 .* --shard 1\/2 /);
});

Deno.test("seeds: other days and machines are listed; other code is told besides", async () => {
  const code = { version: "0.1.0", commit: null, changes: null };
  const machineOf = (cores: number) => ({ processor: "Abacus", cores, system: "wood", runtime: "deno 2" });
  const [one, two] = await Promise.all(
    [1, 2].map((seed) => ofSeed(seed, { code, machine: machineOf(seed) })),
  );
  const join = (second: VerificationReport) => mergeReports([one, second], ["a.json", "b.json"]);
  const { verification, problems, notes } = join(two);
  assertEquals([problems, notes], [[], []]);
  assertEquals(
    verification!.origins,
    [one, two].map(({ seed, started, machine }) => ({
      ...{ seed, shards: [1], code, started: started!, machine: machine! },
    })),
  );
  assertEquals(join({ ...two, code: { ...code, version: "0.2.0" } }).notes, [
    "code differs: 0.1.0 in a.json; 0.2.0 in b.json",
  ]);
  // A ledger of both is of both, and a third run by one of them differs from it.
  const mixed = join({ ...two, code: { ...code, version: "0.2.0" } }).verification!;
  const third = await ofSeed(3, { code });
  assertEquals(mergeReports([mixed, third], ["ledger.json", "c.json"]).notes, [
    "code differs: 0.1.0 and 0.2.0 in ledger.json; 0.1.0 in c.json",
  ]);
});

Deno.test("seeds: what does not belong together is refused, and what is lacking is told", async () => {
  const [one, two] = [await ofSeed(1), await ofSeed(2)], names = ["a.json", "b.json"];
  const join = (second: unknown) => mergeReports([one, second], names);
  const both = join(two).verification;
  assertThrows(() => join(both), TypeError, "seed 1 is in both a.json and b.json");
  for (
    const [parts, text] of [
      [{ n: 64 }, "n differs: not given in a.json; 64 in b.json"],
      [{ device: "wasm" }, "device differs: reference in a.json; wasm in b.json"],
      [{ family_size: 3 }, "verdicts in all differs"],
      [
        { claims: two.claims.map((claim) => ({ ...claim, rule: "another" })) },
        "residual-mass says other things in a.json and b.json",
      ],
      [{ results: two.results.map(({ log_e: _, ...result }) => result) }, "b.json has no e-values"],
    ] as const
  ) {
    assertThrows(() => join({ ...two, ...parts }), TypeError, text);
  }
  assertEquals(join({ ...two, results: two.results.slice(1) }).notes, [
    "b.json lacks 1 of 4 cases that others have",
  ]);
});

Deno.test("seeds: what could not run with one of them is not hidden, and what is refuted for certain stays so", async () => {
  const [one, two] = [await ofSeed(1), await ofSeed(2)], [first, ...rest] = two.results;
  const broken = {
    ...first,
    verdict: "error",
    reason: "run 3: lost",
    log_e: { holds: 0, refuted: 0 },
  } as const;
  const found = mergeReports([one, { ...two, results: [broken, ...rest] }]).verification!;
  assertEquals([found.results[0].verdict, found.results[0].reason], ["error", "run 3: lost"]);
  const wrong = { ...first, "log_e": { holds: -1000, refuted: 1000 } };
  assertEquals(
    mergeReports([one, { ...two, results: [wrong, ...rest] }]).verification!.results[0].verdict,
    "refuted",
  );
});

/** Runs until the evidence of a seed is settled or there are no more: what `runCase` does. */
function evidenceOf(
  claim: Claim,
  draw: () => number,
  most: number,
  level: number,
): { holds: number; refuted: number } {
  const measured: number[] = [];
  let found = { holds: 0, refuted: 0 };
  while (measured.length < most) {
    measured.push(draw());
    found = logEValues(claim, measured, measured.length === most);
    if (Math.max(found.holds, found.refuted) >= -Math.log(level)) break;
  }
  return found;
}

Deno.test("seeds: a true claim at its bound, continued over six seeds, is seldom refuted at any time", () => {
  const level = 0.05, ledgers = 600, random = new RandomStream(9, Purpose.data);
  const claims = {
    probability: [
      makeClaim({ rule: { kind: "probability", allowed: 0.25 }, bound: 0.75 }),
      () => random.uniform(),
    ],
    mean: [makeClaim({ rule: { kind: "mean", tolerance: 0.75 }, bound: 0 }), () => random.normal()],
    slope: [makeClaim({ rule: { kind: "slope", low: 0, high: 9 }, bound: 0 }), () => random.normal()],
  } as const;
  for (const [name, [claim, draw]] of Object.entries(claims)) {
    let refuted = 0;
    for (let ledger = 0; ledger < ledgers; ledger++) {
      let sum = 0, ever = false;
      for (let seed = 0; seed < 6; seed++) {
        sum += evidenceOf(claim, draw, 30, 1e-3).refuted;
        ever ||= sum >= -Math.log(level);
      }
      if (ever) refuted++;
    }
    // Four standard deviations of the count on top.
    assertLess(refuted, ledgers * level + 4 * Math.sqrt(ledgers * level), name);
  }
});
