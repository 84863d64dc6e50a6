import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { VerificationReport } from "../../../proofs_checks/engine/report.ts";
import { mergeReports } from "../../../proofs_checks/report/merge.ts";
import { scalingReport, verificationFile } from "./reports.ts";

const COUNT = 4;

function shards(options: Parameters<typeof verificationFile>[0] = {}): Promise<VerificationReport[]> {
  const indices = Array.from({ length: COUNT }, (_, at) => at + 1);
  return Promise.all(
    indices.map((index) => verificationFile({ ...options, shard: { index, count: COUNT } })),
  );
}

Deno.test("mergeReports() says which shards are missing, and nothing where none is", async () => {
  const [one, two, three, four] = await shards();
  const all = mergeReports([three, one, four, two]);
  assertEquals([all.problems, all.notes], [[], []]);
  assertEquals(all.verification!.shards, { count: COUNT, present: [1, 2, 3, 4] });

  const some = mergeReports([four, two]);
  const command = (index: number) =>
    "deno run -A cli.ts verify --claim gray-order residual-mass --seed 1 --runs 2 --device reference " +
    `--shard ${index}/4 --json shard-${index}-of-4-seed-1.json`;
  assertEquals(some.problems, [
    "2 of 4 shards are missing: 1, 3",
    `missing shard 1: ${command(1)}`,
    `missing shard 3: ${command(3)}`,
  ]);
  assertEquals(some.verification!.problems, some.problems);
  // What was joined in part can be joined with the rest.
  const rest = mergeReports([JSON.parse(JSON.stringify(some.verification)), one, three]);
  assertEquals([rest.problems, rest.verification!.results.length], [[], all.verification!.results.length]);
  const cut = { ...two, results: two.results.slice(1) };
  assertEquals(mergeReports([one, cut, three, four]).problems.length, 1);
  const brokenOff = { ...cut, interrupted: { done: cut.results.length, of: two.results.length } };
  const stopped = mergeReports([brokenOff, one, three, four], ["2.json"]);
  const [{ length: done }, { length: count }] = [cut.results, two.results];
  assertEquals(stopped.problems, [
    `2.json was broken off when ${done} of ${count} cases were done: ${command(2)}`,
    `${all.verification!.results.length - 1} results are here, of ${all.verification!.cases} cases`,
  ]);
  assertEquals(stopped.verification!.interrupted, undefined);
});

Deno.test("mergeReports() says which settings differ", async () => {
  const [one, two, three, four] = await shards();
  const names = ["a.json", "b.json", "c.json", "d.json"];
  const problems = (parts: Partial<VerificationReport>) =>
    mergeReports([one, two, { ...three, ...parts }, four], names).problems;
  assertEquals(problems({ adapter: "another" }), [
    `adapter differs: ${one.adapter} in a.json, b.json, d.json; another in c.json`,
  ]);
  assertEquals(problems({ device: "wasm", n: 7, runs: null }), [
    "n differs: not given in a.json, b.json, d.json; 7 in c.json",
    "runs differs: 2 in a.json, b.json, d.json; not given in c.json",
    "device differs: reference in a.json, b.json, d.json; wasm in c.json",
  ]);
  // Numbers of threads change no result; other instructions may.
  const on = (...adapters: string[]) =>
    mergeReports([one, two, three, four].map((share, at) => ({ ...share, adapter: adapters[at] })), names)
      .problems;
  const many = "WebAssembly SIMD, 16 threads", alone = "WebAssembly SIMD, 1 thread (there is no more)";
  assertEquals(on(many, alone, many, "WebAssembly SIMD, 2 threads"), []);
  assertEquals(on(many, alone, many, "WebAssembly relaxed SIMD, 16 threads"), [
    "adapter differs: WebAssembly SIMD in a.json, b.json, c.json; WebAssembly relaxed SIMD in d.json",
  ]);
  // A share of another seed is one of another verification.
  assertEquals(problems({ seed: 9 }).filter((problem) => !problem.startsWith("missing shard")), [
    "1 of 4 shards is missing: 3",
    "3 of 4 shards are missing: 1, 2, 4",
  ]);
  assertEquals(problems({ asked: { claims: null, families: null } }).length, 1);
  for (
    const [parts, text] of [
      [{ level: 0.01 }, "level differs"],
      [{ family_size: 3 }, "verdicts in all differs"],
      [{ shards: { count: 5, present: [3] } }, "number of shards differs"],
      [{ cases: 2 }, "cases in all differs"],
    ] as const
  ) {
    assertThrows(() => problems(parts), TypeError, text);
  }
});

Deno.test("mergeReports() says where shards are of different code, and lists what each comes from", async () => {
  const code = { version: "0.1.0", commit: "a".repeat(40), changes: null };
  const machine = { processor: "Abacus", cores: 7, system: "wood", runtime: "deno 2" };
  const own = await shards({ code }), names = ["a.json", "b.json", "c.json", "d.json"];
  const third = (parts: Partial<VerificationReport>) =>
    mergeReports(own.map((share, at) => at === 2 ? { ...share, ...parts } : share), names);
  const word = `0.1.0@${"a".repeat(12)}`;
  for (
    const [other, words] of [
      [{ ...code, version: "0.2.0" }, `0.2.0@${"a".repeat(12)}`],
      [{ ...code, commit: "b".repeat(40) }, `0.1.0@${"b".repeat(12)}`],
      [{ ...code, changes: "c".repeat(64) }, `${word}+${"c".repeat(12)}`],
      [undefined, "not given"],
    ] as const
  ) {
    assertEquals(third({ code: other }).problems, [
      `code differs: ${word} in a.json, b.json, d.json; ${words} in c.json`,
    ]);
  }
  // Other days and machines are what shards are for.
  const { verification, problems, notes } = third({ machine, started: "2027-01-01T00:00:00.000Z" });
  assertEquals([problems, notes], [[], []]);
  assertEquals(
    verification!.origins!.map(({ seed, shards }) => [seed, ...shards]),
    [1, 2, 3, 4].map((at) => [1, at]),
  );
  assertEquals(verification!.origins![2], {
    seed: 1,
    shards: [3],
    code,
    started: "2027-01-01T00:00:00.000Z",
    machine,
  });
  assertEquals(verification!.origins![0].machine, null);
  for (const { replay } of verification!.results) assert(replay.endsWith(` --code ${word}`), replay);
  // What was joined in part keeps what it comes from.
  const part = mergeReports(own.slice(0, 2)).verification!;
  assertEquals(mergeReports([own[3], part, own[2]]).verification!.origins!.map(({ shards }) => shards[0]), [
    4,
    1,
    2,
    3,
  ]);
});

Deno.test("mergeReports() refuses what is in two shares, and names both", async () => {
  const [one, two] = await shards();
  const text = `${one.results[0].claim} on ${
    one.results[0].family
  } is in more than one share, x.json and y.json`;
  assertThrows(() => mergeReports([one, one], ["x.json", "y.json"]), TypeError, text);
  assert(one.results.length > 1 && two.results.length > 0);
  assertThrows(() => mergeReports([one, one]), TypeError, `and so are ${one.results.length - 1} more`);
  assertThrows(
    () => mergeReports([scalingReport, scalingReport]),
    TypeError,
    "exact exact on gaussian is in more",
  );
});

Deno.test("mergeReports() joins whole verifications of different claims, and scaling reports with what differs", async () => {
  const gray = await verificationFile({ claims: ["gray-order"] });
  const mass = await verificationFile({ claims: ["residual-mass"] });
  const { verification, problems } = mergeReports([gray, mass]);
  assertEquals([problems, verification!.results.length], [[], gray.results.length + mass.results.length]);
  assertEquals([gray.asked, verification!.asked], [{ claims: ["gray-order"], families: null }, undefined]);
  const other = {
    ...scalingReport,
    epsilon: 0.5,
    series: scalingReport.series.map((one) => ({ ...one, workload: "clustered" })),
  };
  const joined = mergeReports([scalingReport, other]);
  assertEquals(joined.problems, ["epsilon of scaling differs: 0.3 in reports[0]; 0.5 in reports[1]"]);
  assertEquals(joined.scaling!.series.length, 6);
});

Deno.test("mergeReports() reads version 1, and says what it cannot tell", async () => {
  const { runs: _runs, n: _n, cases: _cases, shards: _shards, results, ...rest } = await verificationFile();
  const old = { ...rest, version: 1, results: results.map(({ reason: _reason, ...result }) => result) };
  const { verification, problems, notes } = mergeReports([old], ["old.json"]);
  assertEquals([problems, verification!.results.length], [[], results.length]);
  assertStringIncludes(notes[0], "old.json: version 1 does not say which shares there are");
});

Deno.test("a wrong field of a file is named, with the file, the rule and the value", async () => {
  const good = await verificationFile({ claims: ["gray-order"] }), [result] = good.results;
  const { seed: _, ...seedless } = good;
  const cases: [unknown, string][] = [
    [null, " must be an object: current value is null"],
    [[good], " must be an object: current value is an array of length 1"],
    [{}, ": schema must be one of kdeformer-verification, kdeformer-scaling: current value is missing"],
    [
      { ...good, version: 99 },
      "version must be one of 1, 2 of kdeformer-verification: current value is version 99",
    ],
    [seedless, "seed must be a number: current value is missing"],
    [{ ...good, seed: "1" }, 'seed must be a number: current value is "1"'],
    [
      { ...good, device: "abacus" },
      'device must be one of webgpu, wasm, reference: current value is "abacus"',
    ],
    [{ ...good, family_size: 0 }, "family_size must be an integer from 1 to 2^53 − 1: current value is 0"],
    [{ ...good, level: 2 }, "level must be from 0 to 1: current value is 2"],
    [{ ...good, results: null }, "results must be a list: current value is null"],
    [{ ...good, results: [result, null] }, "results[1] must be an object: current value is null"],
    [
      { ...good, results: [{ ...result, verdict: "maybe" }] },
      'results[0].verdict must be one of holds, refuted, inconclusive, error, not-applicable, vacuous: current value is "maybe"',
    ],
    [
      { ...good, results: [{ ...result, log_p: { holds: 0 } }] },
      "results[0].log_p.refuted must be a number: current value is missing",
    ],
    [
      { ...good, results: [{ ...result, log_p: { holds: 1, refuted: 0 } }] },
      "results[0].log_p.holds must be from -Infinity to 0: current value is 1",
    ],
    [
      { ...good, results: [{ ...result, interval: [1] }] },
      "results[0].interval must be a list of 2: current value is an array of length 1",
    ],
    [{ ...good, claims: [{ name: 3 }] }, "claims[0].name must be text: current value is 3"],
    [
      { ...good, points: [{ claim: "a", family: "b", error: "<b>" }] },
      'points[0].error must be a number: current value is "<b>"',
    ],
    [
      { ...good, shards: { count: 2, present: [3] } },
      "shards.present must be at most count, 2: current value is 3",
    ],
    [{ ...scalingReport, series: [{}] }, "series[0].workload must be text: current value is missing"],
    [{ ...scalingReport, budget: [] }, "budget must be an object: current value is an array of length 0"],
    [{ ...good, code: { version: 1 } }, "code.version must be text: current value is 1"],
    [
      { ...good, machine: { processor: null, cores: 0, system: "", runtime: "" } },
      "machine.cores must be an integer from 1 to 2^53 − 1: current value is 0",
    ],
    [{ ...good, origins: [{}] }, "origins[0].seed must be a number: current value is missing"],
    [{ ...good, asked: {} }, "asked.claims must be a list: current value is missing"],
    [{ ...good, adapter: { long: "x".repeat(1000) } }, "adapter must be text: current value is an object"],
  ];
  for (const [value, text] of cases) {
    const error = assertThrows(() => mergeReports([good, value], ["good.json", "bad.json"]), Error) as Error;
    assertStringIncludes(error.message, `Cannot merge: bad.json${/^[ :]/.test(text) ? "" : ": "}${text}`);
    assert(error instanceof TypeError || error instanceof RangeError);
    assert(error.message.length < 300);
  }
});

Deno.test("a family of a thousand million verdicts takes no room", async () => {
  const good = await verificationFile({ claims: ["gray-order"], runs: 50 });
  const { verification } = mergeReports([{ ...good, family_size: 1e9 }]);
  // 37 runs are evidence for a family of some hundreds.
  assertEquals(verification!.results[0].verdict, "inconclusive");
});
