/**
 * Breaks the tree on purpose, one fault at a time, and sees whether `verify` notices: `deno task mutants [--level LEVEL]
 * [--verify quick|standard] [--only ID,…] [--claims NAME,…] [--generated N --seed S] [--tests] [--survivors] [--together] [--workers N] [--json FILE]`. Results are kept
 * in tests/mutation/results.json, from which `deno task docs` writes docs/mutants.md; what is there already of the same sources is
 * not tried again. docs/mutants.md says what the levels are.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../child.ts";
import { claimsToTry, levels } from "./claims_to_try.ts";
import { sampleGenerated } from "./generated/sample.ts";
import { listed } from "./listed.ts";
import type { Mutant } from "./mutant.ts";
import { readOptions } from "./options.ts";
import { reachOfClaims } from "./reach.ts";
import { changeOf, readResults, type Result, treeHash, writeResults } from "./results.ts";
import { failingTest } from "./test_mutant.ts";
import { efforts, type Kill, verifyClaim } from "./verify_mutant.ts";
import { Workshop } from "./workshop.ts";

const args = process.argv.slice(2), options = readOptions(args), tree = treeHash();
const say = (words: string) => process.stderr.write(`${words}\n`);
const kept = readResults(options.json), wanted = chosen();
const reaches = options.level === "likely" || options.claims
  ? []
  : await reachOfClaims(tree, say, options.workers);
const due = wanted.filter((mutant) => isDue(mutant, kept.find(({ id }) => id === mutant.id)));
say(`${due.length} of ${wanted.length} mutants to try, sources ${tree}`);

/** Whether claims on families are as expected without a fault. */
const cleared = new Map<string, Promise<boolean>>();
let done = 0;
if (options.together) await attemptTogether();
else await attemptEach();

/** Tries those that are due, one after the other, and says which survive. */
async function attemptEach(): Promise<void> {
  await Promise.all(Array.from({ length: Math.min(options.workers, due.length) }, work));
  const left = kept.filter(({ id, kill }) => kill === null && wanted.some((mutant) => mutant.id === id));
  console.log(`${wanted.length - left.length} of ${wanted.length} mutants were noticed`);
  for (const { id, file, fault } of left) console.log(`SURVIVES  ${id}  ${file}: ${fault}`);
}

/** Puts all that a device would open with into one tree: many faults must not hide each other. */
async function attemptTogether(): Promise<void> {
  const opens = ({ id }: Mutant) => kept.find((result) => result.id === id)?.kill?.by !== "self test";
  const some = wanted.filter(opens), workshop = new Workshop();
  try {
    const unfit = await workshop.make(...some);
    if (unfit) throw new Error(`Cannot try mutants together: ${unfit}`);
    const tried = [...new Set(options.claims ?? some.flatMap(({ claims = [] }) => claims))];
    let noticed = 0;
    for (const claim of tried) {
      const kill = await verifyClaim(workshop.folder, claim, options.verify);
      if (kill) noticed++;
      say(`${claim}: ${kill?.words ?? "as without a fault"}`);
    }
    console.log(`${noticed} of ${tried.length} claims notice ${some.length} mutants in one tree`);
  } finally {
    workshop.close();
  }
}

/** The mutants that are asked for, in the order in which they are named. */
function chosen(): readonly Mutant[] {
  const { only, generated, seed } = options, all = generated > 0 ? sampleGenerated(generated, seed) : listed;
  return only?.map((id) => {
    const mutant = all.find((one) => one.id === id);
    if (!mutant) throw new Error(`There is no mutant ${id}`);
    return mutant;
  }) ?? all;
}

/** Whether a mutant has to be tried: there is no result of it, of other sources, or of fewer claims. */
function isDue(mutant: Mutant, before?: Result): boolean {
  if (!before) return !options.survivors;
  if (options.survivors) return !isVerified(before);
  if (!isOfNow(mutant, before)) return true;
  if (isVerified(before)) return false;
  const isMore = levels.indexOf(before.level) < levels.indexOf(options.level) || isLonger(before);
  return isMore || options.claims !== undefined || options.tests && !before.tests;
}

/** Whether `verify` noticed, or no program came of it: what tests alone notice is worth another claim. */
function isVerified({ kill }: Result): boolean {
  return kill !== null && kill.by !== "tests";
}

/** Whether what was tried took fewer runs than what is asked for. */
function isLonger({ verify = "quick" }: Result): boolean {
  return efforts.indexOf(verify) < efforts.indexOf(options.verify);
}

/** Whether a result is of this fault in these sources. */
function isOfNow(mutant: Mutant, { tree: sources, change }: Result): boolean {
  return sources === tree && change === changeOf(mutant);
}

/** Takes one mutant after the other. */
async function work(): Promise<void> {
  const workshop = new Workshop();
  try {
    for (let mutant = due.shift(); mutant; mutant = due.shift()) {
      const start = performance.now(), found = await attempt(workshop, mutant);
      const result: Result = { ...found, seconds: Math.round((performance.now() - start) / 1000), tree };
      const at = kept.findIndex(({ id }) => id === mutant.id);
      kept.splice(at < 0 ? kept.length : at, at < 0 ? 0 : 1, result);
      await writeResults(options.json, { command: ["deno task mutants", ...args].join(" "), results: kept });
      say(`${++done} done, ${due.length} to try: ${describe(result)}`);
    }
  } finally {
    workshop.close();
  }
}

/** Tries one mutant by one claim after the other, and by tests if they are asked for. */
async function attempt(workshop: Workshop, mutant: Mutant): Promise<Omit<Result, "seconds" | "tree">> {
  const known = kept.find(({ id }) => id === mutant.id);
  const passed = known && !isVerified(known) && isOfNow(mutant, known) && !isLonger(known)
    ? known
    : undefined;
  const { id, file, fault } = mutant, tried = [...passed?.tried ?? []];
  const finish = (kill: Kill | null = null) => ({
    id,
    file,
    fault,
    change: changeOf(mutant),
    generated: options.generated > 0,
    kill,
    tried,
    level: options.claims ? passed?.level ?? "likely" : options.level,
    ...(options.verify !== "quick" && { verify: options.verify }),
    tests: options.tests || (passed?.tests ?? false),
  });
  const broken = await workshop.make(mutant);
  const unfit = broken ?? (options.generated > 0 ? await workshop.typeFaults(mutant) : undefined);
  if (unfit) return finish({ by: "build", name: "", words: unfit.trim().split("\n")[0] });
  // What noticed it in other sources notices it soonest.
  const first = known?.kill?.by === "claim" ? [known.kill.name] : [];
  const text = readFileSync(join(root, mutant.file), "utf8");
  const claims = options.claims ?? claimsToTry(mutant, text, options.level, reaches);
  for (const claim of new Set([...first, ...claims])) {
    if (tried.includes(claim)) continue;
    tried.push(claim);
    const kill = await verifyClaim(workshop.folder, claim, options.verify);
    if (kill && await isInnocent(claim, kill)) return finish(kill);
  }
  if (passed?.kill) return finish(passed.kill);
  return finish(options.tests ? await failingTest(workshop.folder, mutant.file) : undefined);
}

/** Whether the tree without a fault has no such verdict: else it says nothing of the fault. */
async function isInnocent(claim: string, { family }: Kill): Promise<boolean> {
  const key = `${claim} ${family ?? ""}`, further = family === undefined ? [] : ["--family", family];
  if (!cleared.has(key)) {
    cleared.set(
      key,
      verifyClaim(root, claim, options.verify, further).then((kill) => !kill),
    );
  }
  const isClear = await cleared.get(key)!;
  if (!isClear) say(`${key} is against expectation without a fault: not counted`);
  return isClear;
}

function describe({ id, kill, tried, seconds }: Result): string {
  if (!kill) return `${id} SURVIVES ${tried.length} claims, ${seconds} s`;
  return `${id} ${kill.by} ${kill.name}${
    kill.family ? ` on ${kill.family}` : ""
  }, ${seconds} s: ${kill.words}`;
}
