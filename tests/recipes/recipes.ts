import { method } from "./method/recipe.ts";
import { primitive } from "./primitive/recipe.ts";
import type { Recipe } from "./recipe.ts";

/** The recipes of CONTRIBUTING.md that can be followed by a program. */
export const recipes: readonly Recipe[] = [method, primitive];
