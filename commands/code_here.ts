import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isGranted } from "../files/permissions.ts";
import type { Code } from "../proofs_checks/engine/origin.ts";
import { VERSION } from "./version.ts";

/**
 * The code that runs. Its commit is known where it runs from a checkout of its own, git is there, and Deno may run it unasked.
 *
 * @param root The folder of `cli.ts`, as a URL.
 */
export async function codeHere(root: URL = new URL("..", import.meta.url)): Promise<Code> {
  const unknown: Code = { version: VERSION, commit: null, changes: null };
  const mayRun = isGranted({ name: "run", command: "git" }) && isGranted({ name: "env" });
  if (root.protocol !== "file:" || !mayRun) return unknown;
  const folder = fileURLToPath(root);
  const found = await git(folder, ["rev-parse", "--show-prefix", "HEAD"]);
  // A copy inside the repository of somebody else, which has a prefix there, is at none of its commits.
  const [, commit] = found?.match(/^\n([\da-f]{40,64})\n$/) ?? [];
  const differences = await git(folder, DIFFERENCES);
  if (commit === undefined || differences === undefined) return unknown;
  return { version: VERSION, commit, changes: differences === "" ? null : await digest(differences) };
}

/** Whatever somebody has configured, the same differences are the same text. */
const DIFFERENCES = [
  ...["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "--full-index", "--unified=0"],
  ...["--diff-algorithm=myers", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/", "HEAD"],
];
/** Longer ones are not told apart. */
const MOST_BYTES = 2 ** 26;

/** What git says; undefined where it fails. */
function git(folder: string, words: readonly string[]): Promise<string | undefined> {
  // Whoever calls from a hook of git names another repository there.
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, ...env } = process.env;
  const args = ["--no-optional-locks", "-C", folder, ...words];
  return new Promise((resolve) =>
    execFile(
      "git",
      args,
      { env, maxBuffer: MOST_BYTES },
      (error, stdout) => resolve(error ? undefined : stdout),
    )
  );
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
