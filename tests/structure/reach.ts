import type { Source } from "./sources.ts";

const EXTERNAL = /(?:\bfrom|\bimport)\s*\(?\s*["']((?!\.{1,2}\/)[^"'\s]+)["']/g;

/** Imports from outside the repository in a file or in what it reaches: a program that imports it by URL may lack them. */
export function externalImports(sources: readonly Source[], door: string): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>(), waiting = [door], found: string[] = [];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = byPath.get(path);
    if (reached.has(path) || !source) continue;
    reached.add(path);
    waiting.push(...source.imports);
    for (const [, specifier] of source.text.matchAll(EXTERNAL)) {
      found.push(`${path}, which ${door} reaches, imports ${specifier}`);
    }
  }
  return found;
}
