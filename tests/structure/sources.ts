import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { root } from "../child.ts";

/** A TypeScript file of the repository, by its path from the root, with forward slashes. */
export interface Source {
  readonly path: string;
  /** Without its documentation comments, whose examples import too. */
  readonly text: string;
  readonly lines: number;
  /** Paths of the files that it imports, in any way. */
  readonly imports: readonly string[];
}

/** Folders that hold no sources of ours. */
const SKIPPED = [".git", "node_modules", "coverage", "dist"];
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*(["'])(\.{1,2}\/[^"']+)\1/g;

/** Every TypeScript and AssemblyScript file, in the order of their paths. */
export function readSources(folder: string = root): Source[] {
  return [...walk(folder)].sort().map((file) => {
    const path = relative(folder, file).replaceAll("\\", "/");
    const whole = readFileSync(file, "utf8"), text = withoutExamples(whole);
    const imports = [...text.matchAll(IMPORT)].map((match) =>
      withExtension(posix.join(posix.dirname(path), match[2]))
    );
    return { path, text, lines: whole.split("\n").length - 1, imports: [...new Set(imports)] };
  });
}

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!SKIPPED.includes(entry.name)) yield* walk(path);
    } else if (entry.name.endsWith(".ts")) yield path;
  }
}

function withoutExamples(text: string): string {
  return text.replace(/^ *\/\*\*[^]*?\*\/$/gm, "");
}

/** AssemblyScript leaves the extension out. */
function withExtension(path: string): string {
  return /\.(?!generated$)[a-z]+$/.test(path) ? path : `${path}.ts`;
}
