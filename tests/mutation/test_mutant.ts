import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { assertSource, deno, root } from "../child.ts";
import { readSources } from "../structure/sources.ts";
import type { Kill } from "./verify_mutant.ts";

/** Milliseconds that the tests of one file may take. */
const LIMIT = 300_000;
/** How tests find what they import, asked once. */
let source: ReturnType<typeof assertSource> | undefined;

/** The first test file that fails, of those that fit a mutated file; undefined if none does. */
export async function failingTest(folder: string, file: string): Promise<Kill | undefined> {
  const { args } = await (source ??= assertSource());
  const run = (cwd: string, test: string) =>
    deno(["test", "-A", "--no-check", "--fail-fast", ...args, test], { cwd, limit: LIMIT });
  for (const test of testsOf(file)) {
    if ((await run(folder, test)).code === 0) continue;
    // What fails once in a while says nothing of the fault, nor what fails without it as well.
    const { code, stdout } = await run(folder, test);
    if (code === 0 || (await run(root, test)).code !== 0) continue;
    const words = /^(.*) \.\.\. FAILED/m.exec(stdout)?.[1] ?? "does not run";
    return { by: "tests", name: test, words };
  }
  return undefined;
}

/** Tests of the same name, tests that import the file, and those of the folder that mirrors its own, or the nearest that holds it. */
export function testsOf(file: string): string[] {
  const named = `${basename(file, ".ts")}_test.ts`;
  let folder = join("tests", dirname(file)).replaceAll("\\", "/");
  while (!existsSync(join(root, folder))) folder = dirname(folder);
  const sources = readSources().filter(({ path }) => path.startsWith("tests/") && path.endsWith("_test.ts"));
  const mirrored = readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
  return [
    ...new Set([
      ...sources.filter(({ path }) => basename(path) === named),
      ...sources.filter(({ imports }) => imports.includes(file)),
      ...sources.filter(({ path }) => mirrored.includes(path)),
    ].map(({ path }) => path)),
  ];
}
