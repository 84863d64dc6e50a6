import type { Source } from "./sources.ts";

/**
 * The floors of the house, the lowest first: a file may import from its own floor and from those below. What no prefix
 * names is refused, so that a new folder gets its floor.
 */
export const FLOORS: readonly (readonly string[])[] = [
  [
    "kernels/wasm/module.generated.ts",
    "kernels/wasm/arguments.generated.ts",
    "kernels/webgpu/shaders.generated.ts",
    "kernels/webgpu/tuning.ts",
  ],
  ["kernels/wasm/assembly/", "kernels/reference/", "kernels/webgpu/engine/", "kernels/wasm/engine/"],
  ["kernels/webgpu/operations/", "kernels/wasm/operations/"],
  ["kernels/"],
  ["estimators/linear_algebra/", "estimators/core/"],
  ["estimators/kde/"],
  ["estimators/methods/"],
  ["estimators/certified/"],
  ["estimators/attention/", "estimators/spectrum/"],
  ["estimators/robust/"],
  ["mod.ts"],
  ["proofs_checks/statistics/"],
  ["proofs_checks/"],
  ["files/", "workloads/"],
  ["commands/"],
  ["cli.ts"],
  ["bench/", "tests/"],
];

/** Contracts that every floor of a part may read: interfaces and plain functions without state. */
const SHARED = /^kernels\/[^/]+\.ts$/;

/** Arrows that point upwards, as lines for people. */
export function upwardImports(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports
      .filter((target) => !SHARED.test(target) || !path.startsWith("kernels/"))
      .filter((target) => floorOf(target) > floorOf(path))
      .map((target) => `${path} imports ${target}, which is on a floor above`)
  );
}

/** The number of the floor of a path. */
export function floorOf(path: string): number {
  const floor = FLOORS.findIndex((prefixes) =>
    prefixes.some((prefix) => prefix.endsWith("/") ? path.startsWith(prefix) : path === prefix)
  );
  if (floor === -1) throw new Error(`${path} is on no floor: name its folder in tests/structure/floors.ts`);
  return floor;
}

/** Files that reach themselves through their imports, a circle a line; imports of types count. */
export function importCircles(sources: readonly Source[]): string[] {
  const importsOf = new Map(sources.map(({ path, imports }) => [path, imports]));
  const state = new Map<string, "open" | "done">(), circles: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const target of importsOf.get(path) ?? []) visit(target, [...trail, path]);
    state.set(path, "done");
  };
  for (const { path } of sources) visit(path, []);
  return circles;
}
