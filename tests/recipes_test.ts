import { assert, assertEquals } from "@std/assert";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./child.ts";
import { addByHand, differencesFromGuide } from "./recipes/recipe.ts";
import { recipes } from "./recipes/recipes.ts";

// `deno task recipes` also builds, checks and tests what comes of them.
for (const recipe of recipes) {
  Deno.test(`'${recipe.heading}' can be followed in as many files by hand as it may take, those that the guide names`, () => {
    const { folder, byHand } = addByHand(recipe);
    rmSync(folder, { recursive: true, force: true });
    assert(byHand.length > 3 && byHand.length <= recipe.most, byHand.join(", "));
    const guide = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    assertEquals(differencesFromGuide(recipe, byHand, guide), []);
    // A guide that names another file, or not all of them, is noticed.
    assert(differencesFromGuide(recipe, [...byHand, "kernels/registry.ts"], guide).length > 0);
    assert(differencesFromGuide(recipe, byHand.slice(1), guide).length > 0);
  });
}
