import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { root } from "../child.ts";

/** What belongs to a machine, not to the repository. */
const SKIPPED = [".git", "node_modules", "coverage", "dist"];

/** Copies the repository as it lies here into a new temporary folder, whose name begins as given. */
export function copyOf(prefix: string = "kdeformer-recipe-"): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  cpSync(root, folder, { recursive: true, filter: (path) => !SKIPPED.includes(basename(path)) });
  return folder;
}

/** Paths of the files in a folder, from there and with forward slashes, in order. */
export function filesOf(folder: string): string[] {
  return [...walk(folder)].map((path) => relative(folder, path).replaceAll("\\", "/")).sort();
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (SKIPPED.includes(entry.name)) continue;
    if (entry.isDirectory()) yield* walk(join(folder, entry.name));
    else yield join(folder, entry.name);
  }
}

/** Files of a copy that the repository lacks or has with other contents. */
export function changedFiles(folder: string): string[] {
  const own = new Set(filesOf(root));
  return filesOf(folder).filter((path) =>
    !own.has(path) || !readFileSync(join(folder, path)).equals(readFileSync(join(root, path)))
  );
}
