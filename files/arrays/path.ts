/** A file that holds arrays by name. */
export interface ArchivePath {
  readonly archive: string;
  readonly format: "npz" | "safetensors";
  /** The name of an array, where one is given. */
  readonly name?: string;
}

/** Reads `FILE.npz`, `FILE.safetensors` and either with `:NAME`; undefined for any other path. */
export function archivePath(path: string): ArchivePath | undefined {
  const [, archive, format, name] = /^(.+?\.(npz|safetensors))(?::(.+))?$/is.exec(path) ?? [];
  if (archive === undefined) return undefined;
  return { archive, format: format.toLowerCase() as ArchivePath["format"], name };
}
