import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../child.ts";
import { filesOf } from "../recipes/tree.ts";

/** Rivals draw as their papers say. */
const OURS = /^estimators\/(?!methods\/rivals\/).*\.ts$/;

Deno.test("a file draws one thing for a purpose: two streams of a purpose and a seed would be the same numbers", () => {
  const twice: string[] = [];
  let named = 0;
  for (const file of filesOf(root).filter((path) => OURS.test(path))) {
    const purposes = [...readFileSync(join(root, file), "utf8").matchAll(/\bPurpose\.(\w+)/g)].map((
      [, name],
    ) => name);
    named += purposes.length;
    twice.push(
      ...purposes.filter((name, at) => purposes.indexOf(name) < at).map((name) => `${file}: ${name}`),
    );
  }
  assert(named > 15, String(named));
  assertEquals(twice, []);
});
