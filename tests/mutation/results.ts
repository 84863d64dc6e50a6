import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deno, root } from "../child.ts";
import { filesOf } from "../recipes/tree.ts";
import type { Level } from "./claims_to_try.ts";
import type { Mutant } from "./mutant.ts";
import type { Effort, Kill } from "./verify_mutant.ts";

/** What became of one mutant. */
export interface Result extends Pick<Mutant, "id" | "file" | "fault"> {
  /** Tells apart what was found and replaced. */
  readonly change: string;
  /** Whether a program made it up. */
  readonly generated: boolean;
  /** Null where nothing noticed. */
  readonly kill: Kill | null;
  /** Claims that were tried, in this order. */
  readonly tried: readonly string[];
  readonly level: Level;
  /** Of the verifications; quick where it is left out. */
  readonly verify?: Effort;
  /** Whether tests were tried too. */
  readonly tests: boolean;
  readonly seconds: number;
  /** Tells the sources apart that it was tried in. */
  readonly tree: string;
}

/** What a file of results holds. */
export interface Results {
  readonly command: string;
  readonly results: readonly Result[];
}

/** A word for what a mutant changes. */
export function changeOf({ find, replace }: Mutant): string {
  return createHash("sha256").update(`${find}\0${replace}`).digest("hex").slice(0, 12);
}

/** The results of this tree that are kept: those that the documents are written from. */
export const RESULTS_FILE: string = join(root, "tests/mutation/results.json");

/** Folders and files that `verify` runs. */
const RUN = /^(kernels|estimators|proofs_checks|files|workloads|commands)\/|^(mod|cli)\.ts$/;

/** A word for all sources that `verify` runs, in the tree as it lies here. */
export function treeHash(): string {
  const hash = createHash("sha256");
  for (const file of filesOf(root).filter((path) => RUN.test(path))) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

/** Results that were kept before; none where there is no such file. */
export function readResults(path: string): Result[] {
  return existsSync(path) ? [...(JSON.parse(readFileSync(path, "utf8")) as Results).results] : [];
}

/** Keeps results. */
export async function writeResults(path: string, content: Results): Promise<void> {
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
  await deno(["fmt", "--quiet", path]);
}
