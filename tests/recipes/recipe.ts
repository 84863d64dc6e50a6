import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { changedFiles, copyOf, filesOf } from "./tree.ts";

/** A line or more that a file of the repository gets. */
export interface Insertion {
  readonly file: string;
  /** Words in front of which the text goes, of which there must be one; at the end where there are none. */
  readonly before?: string;
  readonly text: string;
}

/** Something that people add, as CONTRIBUTING.md tells them to. */
export interface Recipe {
  readonly name: string;
  /** The heading in CONTRIBUTING.md. */
  readonly heading: string;
  /** Most files that it may take by hand. */
  readonly most: number;
  /** New files: those below it are copied to the same place in the tree, less the extension `.txt`. */
  readonly sources: URL;
  readonly insertions: readonly Insertion[];
  /** Arguments of Deno for what writes files. */
  readonly generators: readonly (readonly string[])[];
  /** Arguments of Deno for what must pass afterwards, `check` and `test` with the flags that they need here. */
  readonly checks: readonly (readonly string[])[];
}

/** A copy of the tree to which a recipe has been added by hand. */
export interface Added {
  readonly folder: string;
  /** Files made or changed. */
  readonly byHand: readonly string[];
}

/**
 * Adds what a recipe adds by hand to a new copy of the tree.
 *
 * @throws {Error} If a place for an insertion is not there, or a new file is already.
 */
export function addByHand(recipe: Recipe): Added {
  const folder = copyOf(), sources = fileURLToPath(recipe.sources);
  for (const source of filesOf(sources)) {
    const path = source.replace(/\.txt$/, "");
    writeNew(join(folder, path), readFileSync(join(sources, source), "utf8"));
  }
  for (const { file, before, text } of recipe.insertions) {
    const path = join(folder, file), old = readFileSync(path, "utf8");
    const parts = before === undefined ? [old, ""] : old.split(before);
    if (parts.length !== 2) {
      throw new Error(`Cannot follow the recipe: ${file} has ${parts.length - 1} places '${before}'`);
    }
    writeFileSync(path, parts[0] + text + (before ?? "") + parts[1]);
  }
  return { folder, byHand: changedFiles(folder) };
}

function writeNew(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { flag: "wx" });
}

/**
 * What CONTRIBUTING.md and a recipe do not have in common, as lines for people: files that no item of the numbered list
 * names, and items that name none of the files. In the guide NAME stands for any name.
 */
export function differencesFromGuide({ heading }: Recipe, files: readonly string[], guide: string): string[] {
  const [, section] = guide.split(`\n## ${heading}\n`);
  if (section === undefined) return [`CONTRIBUTING.md has no part '${heading}'`];
  const items = section.split("\n## ")[0].split(/^\d+\. /m).slice(1)
    // What an item is about stands in front of its first colon.
    .map((item) => [...item.split(/:\s/)[0].matchAll(/`([\w/.]+)`/g)].map(([, path]) => pattern(path)));
  const named = items.flat();
  return [
    ...files.filter((file) => !named.some((path) => path.test(file)))
      .map((file) => `'${heading}' does not name ${file}`),
    ...items.flatMap((paths, at) =>
      files.some((file) => paths.some((path) => path.test(file)))
        ? []
        : [`step ${at + 1} of '${heading}' names no file that the dry run touches`]
    ),
  ];
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("NAME", "\\w+")}$`);
}
