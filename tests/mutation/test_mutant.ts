import { existsSync } from "node:fs";
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

/**
 * Tests of the same name, those about all of its part of the tree, those that import the file, those of the folder that mirrors
 * its own or the nearest that holds it, and then all others of that part.
 */
export function testsOf(file: string): string[] {
  const named = `${basename(file, ".ts")}_test.ts`, [part] = file.split("/");
  let folder = join("tests", dirname(file)).replaceAll("\\", "/");
  while (!existsSync(join(root, folder))) folder = dirname(folder);
  const tests = readSources().filter(({ path }) => path.startsWith("tests/") && path.endsWith("_test.ts"));
  const inOrder = [
    ...tests.filter(({ path }) => basename(path) === named),
    ...tests.filter(({ path }) => dirname(path) === `tests/${part}`),
    ...tests.filter(({ imports }) => imports.includes(file)),
    ...tests.filter(({ path }) => dirname(path) === folder),
    ...tests.filter(({ path }) => path.startsWith(`tests/${part}/`)),
  ];
  return [...new Set(inOrder.map(({ path }) => path))];
}
