/**
 * Follows the recipes of CONTRIBUTING.md in copies of the tree, checks what comes of it, and counts the files:
 * `deno task recipes [NAME …]`. Fails where a check does, where a recipe takes more files by hand than it may, and
 * where the guide says something else than what was done.
 *
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { assertSource, deno, root } from "../child.ts";
import { addByHand, differencesFromGuide, type Recipe } from "./recipe.ts";
import { recipes } from "./recipes.ts";
import { changedFiles } from "./tree.ts";

/** Milliseconds after which a command hangs. */
const LIMIT = 300_000;

const { args } = await assertSource(), wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !recipes.some((recipe) => recipe.name === name));
if (unknown) throw new Error(`There is no recipe ${unknown}: ${recipes.map(({ name }) => name).join(", ")}`);
for (const recipe of recipes.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const start = performance.now(), faults = await follow(recipe);
  for (const fault of faults) console.log(`FAULT  ${fault}`);
  console.log(
    `${faults.length > 0 ? "FAILED" : "ok    "} ${((performance.now() - start) / 1000).toFixed(0)} s\n`,
  );
  if (faults.length > 0) process.exitCode = 1;
}

/** Follows a recipe, shows it, and returns what is wrong. */
async function follow(recipe: Recipe): Promise<string[]> {
  console.log(recipe.heading);
  const { folder, byHand } = addByHand(recipe);
  try {
    for (const file of byHand) console.log(`  by hand    ${file}`);
    const faults: string[] = [];
    for (const command of recipe.generators) faults.push(...await run(folder, command));
    const generated = changedFiles(folder).filter((file) => !byHand.includes(file));
    for (const file of generated) console.log(`  generated  ${file}`);
    for (const command of recipe.checks) faults.push(...await run(folder, command));
    console.log(`  ${byHand.length} files by hand, at most ${recipe.most}; ${generated.length} generated`);
    if (byHand.length > recipe.most) faults.push(`it takes ${byHand.length} files by hand`);
    const guide = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    return [...faults, ...differencesFromGuide(recipe, byHand, guide)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs Deno in a copy; what it says if it fails. */
async function run(cwd: string, [task, ...rest]: readonly string[]): Promise<string[]> {
  const resolving = task === "check" || task === "test" ? args : [];
  const { code, stdout, stderr } = await deno([task, ...resolving, ...rest], { cwd, limit: LIMIT });
  const words = `deno ${[task, ...rest].join(" ")}`, counts = /\d+ passed \| \d+ failed.*/.exec(stdout)?.[0];
  console.log(`  ${code === 0 ? "ok    " : "FAILED"}     ${words}${counts ? `: ${counts}` : ""}`);
  // A filter that finds no test checks nothing.
  if (task === "test" && /\b0 passed/.test(stdout)) return [`${words} found no tests`];
  return code === 0 ? [] : [`${words}:\n${stdout}${stderr}`];
}
