import { assert, assertEquals } from "@std/assert";
import { openDevice } from "../../kernels/device.ts";
import { Purpose, RandomStream } from "../../kernels/random.ts";
import type { VerificationReport, VerificationResult } from "../../proofs_checks/engine/report.ts";
import { chooseCases } from "../../proofs_checks/engine/choose_cases.ts";
import { casesAt } from "../../proofs_checks/engine/levels.ts";
import { verify } from "../../proofs_checks/engine/verify.ts";
import { runChild } from "../child.ts";
import { withDeno } from "../cluster/programs.ts";

// Every line repeats itself to the last bit, whatever ran beside it, and on whatever number of threads.

const COUNT = 60, SEARCH = "adversarial-search";

/** One share of the registry of {@link COUNT} by lot, of those that search among other things. */
function drawnShare(seed: number): { index: number; count: number } {
  const cases = casesAt(chooseCases({}), "quick", undefined), random = new RandomStream(seed, Purpose.data);
  const searches = cases.flatMap(([, { source }], at) => source.name === SEARCH ? [at] : []);
  return { index: searches[random.integer(searches.length)] % COUNT + 1, count: COUNT };
}

/** The line without what may differ: seconds, and confidence, to which other lines may add. */
const alone = (result: VerificationResult) => ({ ...result, seconds: 0, confidence: 0 });

async function run(command: string): Promise<VerificationReport> {
  const { stdout, stderr } = await runChild("bash", ["-c", `${command} --json -`], { env: withDeno });
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

for (
  const [what, options, seed] of [
    ["a default run, shortened", "--runs 8 --seed 11", 1],
    ["a run of other keys and another δ", "--runs 5 --seed 12 --n 64 --delta 0.1", 2],
  ] as const
) {
  Deno.test(`every line of a share, drawn by lot, of ${what} is repeated to the last bit by its own command`, async () => {
    const { index, count } = drawnShare(seed);
    const { results } = await run(`deno run -A cli.ts verify ${options} --shard ${index}/${count}`);
    assert(results.length >= 8 && results.some(({ family }) => family === SEARCH));
    for (const result of results) {
      const again = await run(result.replay);
      assertEquals(again.results.map(alone), [alone(result)], result.replay);
    }
  });
}

Deno.test("a share gives the same to the last bit on any number of threads", async () => {
  const found: VerificationResult[][] = [];
  for (const threads of [1, 2, 3]) {
    using device = await openDevice({ prefer: "wasm", threads });
    found.push([...(await verify({ runs: 3, seed: 5, shard: drawnShare(3), device })).results]);
  }
  const [one, ...others] = found.map((results) => results.map(alone));
  for (const other of others) assertEquals(other, one);
});
