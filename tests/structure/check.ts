/**
 * Checks the structure of the repository and prints its counts: `deno task structure`, part of `deno task check`.
 *
 * @module
 */
import process from "node:process";
import { casesOf } from "../../kernels/known_answers/known_answers.ts";
import { operations } from "../../kernels/reference/operations.generated.ts";
import type { PrimitiveName } from "../../kernels/primitives.ts";
import { exportedNames, unusedExports } from "./exports.ts";
import { importCircles, upwardImports } from "./floors.ts";
import { unregistered } from "./registries.ts";
import { externalImports } from "./reach.ts";
import { readSources } from "./sources.ts";

/** Lines of the longest file, and names of the public face. */
const MOST_LINES = 400, MOST_PUBLIC = 56;

const sources = readSources(), named = (path: string) => sources.find((source) => source.path === path)!;
const authored = sources.filter(({ path }) => !path.endsWith(".generated.ts"));
const publicNames = exportedNames(named("mod.ts"));
const primitives = Object.keys(operations) as PrimitiveName[];
const untested = primitives.filter((name) => casesOf([name]).length === 0);
const faults = [
  ...upwardImports(sources),
  ...importCircles(sources).map((circle) => `files import each other: ${circle}`),
  ...unusedExports(sources),
  ...unregistered(sources),
  ...externalImports(sources, "mod.ts"),
  ...untested.map((name) => `${name} has no known answer: kernels/known_answers/`),
  ...authored.filter(({ lines }) => lines > MOST_LINES)
    .map(({ path, lines }) =>
      `${path} has ${lines} lines: more than ${MOST_LINES} are more than one concept`
    ),
  ...publicNames.length > MOST_PUBLIC
    ? [`mod.ts exports ${publicNames.length} names: at most ${MOST_PUBLIC}`]
    : [],
];
const counts = {
  "TypeScript files": authored.length,
  "imports that point upwards": upwardImports(sources).length,
  "circles of imports": importCircles(sources).length,
  "names that mod.ts exports": publicNames.length,
  "primitives with a known answer": `${primitives.length - untested.length} of ${primitives.length}`,
};
for (const [what, count] of Object.entries(counts)) console.log(`${String(count).padStart(8)}  ${what}`);
for (const fault of faults) console.log(`FAULT  ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
