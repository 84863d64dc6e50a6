/**
 * Writes the parts of the documents that say what the code knows: `deno task docs`; with `--check` it only says whether
 * they are as written, as `deno task check` asks.
 *
 * A part stands between `<!-- NAME: deno task docs -->` and `<!-- end -->`; `blocks.ts` makes it.
 *
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { deno, root } from "../child.ts";
import { blocks } from "./blocks.ts";

const MARKED = /(<!-- ([\w-]+): deno task docs -->\n)[^]*?(<!-- end -->)/g;

const check = process.argv.includes("--check"), changed: string[] = [];
for (const path of documents()) {
  const before = readFileSync(path, "utf8");
  let after = before;
  for (const [whole, open, name, close] of before.matchAll(MARKED)) {
    if (!Object.hasOwn(blocks, name)) {
      throw new Error(`${path} has a part ${name} that tests/docs/blocks.ts lacks`);
    }
    after = after.replace(whole, `${open}\n${await blocks[name]()}\n\n${close}`);
  }
  if (squeeze(after) === squeeze(before)) continue;
  changed.push(path);
  if (!check) writeFileSync(path, after);
}
if (check && changed.length > 0) {
  console.log(`not as the code has it: ${changed.join(", ")}: run deno task docs`);
  process.exitCode = 1;
}
if (!check && changed.length > 0) await deno(["fmt", "--quiet", ...changed]);

function documents(): string[] {
  const inRoot = readdirSync(root).filter((name) => name.endsWith(".md")).map((name) => join(root, name));
  const inDocs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return [...inRoot, ...inDocs.map((name) => join(root, "docs", name))];
}

/** The formatter breaks lines and pads tables: words alone are compared. */
function squeeze(text: string): string {
  return text.replace(/-{3,}/g, "---").replace(/\s+/g, " ");
}
