import type { Source } from "./sources.ts";

const EXPORTED =
  /^export (?:declare )?(?:abstract )?(?:async )?(function\*?|const|let|class|interface|type|enum) ([A-Za-z_$][\w$]*)/gm;
const NAMED = /(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*["']([^"']+)["']/g;

/** Files whose exports are read by programs outside, by a runtime or by name. */
const DOORS = [
  /^mod\.ts$/,
  /^cli\.ts$/,
  /^proofs_checks\/mod\.ts$/,
  /^tests\//,
  /^bench\//,
  /\/assembly\//,
  /\.generated\.ts$/,
];

/** Exports that no other file needs: tests may read what a file uses itself, but not keep alive what nothing else uses. */
export function unusedExports(sources: readonly Source[]): string[] {
  const used = importedNames(sources), product = importedNames(sources.filter(({ path }) => !isTest(path)));
  return sources.filter(({ path }) => !DOORS.some((door) => door.test(path))).flatMap(({ path, text }) => {
    const occurs = (name: string) => [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length;
    // A type that a signature of the same file names must be exported with it.
    const needed = (kind: string, name: string) => /interface|type|class/.test(kind) && occurs(name) > 1;
    const idle = (kind: string, name: string) =>
      !product.has(name) && !needed(kind, name) && (!used.has(name) || occurs(name) === 1);
    return [...text.matchAll(EXPORTED)].filter(([, kind, name]) => idle(kind, name))
      .map(([, , name]) =>
        `${path} exports ${name}, which ${used.has(name) ? "tests alone use" : "nobody imports"}`
      );
  });
}

const isTest = (path: string) => path.startsWith("tests/");

function importedNames(sources: readonly Source[]): Set<string> {
  const names = new Set<string>();
  for (const { text } of sources) {
    for (const [, list] of text.matchAll(NAMED)) {
      for (const item of list.split(",")) names.add(item.trim().replace(/^type /, "").split(" as ")[0]);
    }
    // import * as module: what is read of it.
    for (const [, module] of text.matchAll(/import \* as (\w+) from/g)) {
      for (const [, name] of text.matchAll(new RegExp(`\\b${module}\\.(\\w+)`, "g"))) names.add(name);
    }
    // Modules that are loaded at run time: (await import("./x.ts")).name and { name } = await import("./x.ts").
    for (const [, name] of text.matchAll(/await import\([^)]*\)\)\.(\w+)/g)) names.add(name);
    for (const [, list] of text.matchAll(/\{([^{}]*)\} = await import\(/g)) {
      for (const item of list.split(",")) names.add(item.trim().split(":")[0].trim());
    }
  }
  return names;
}

/** Names that a module offers: those it exports itself and those it passes on. */
export function exportedNames({ text }: Source): string[] {
  const own = [...text.matchAll(EXPORTED)].map((match) => match[2]);
  const passed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) =>
    list.split(",").map((item) => item.trim().replace(/^type /, "").split(" as ").pop()!).filter(Boolean)
  );
  return [...own, ...passed];
}
