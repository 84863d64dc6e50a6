import process from "node:process";

/** What Deno may be asked about. */
type Permission =
  | { readonly name: "env"; readonly variable?: string }
  | { readonly name: "read" | "write"; readonly path: string }
  | { readonly name: "run"; readonly command: string }
  | { readonly name: "sys"; readonly kind: "homedir" | "cpus" | "osRelease" };

interface Permissions {
  querySync(wanted: Permission): { readonly state: string };
}

/**
 * Whether a thing may be done without asking the user, who would be prompted on a terminal for what the command can
 * do without. True in runtimes that know no permissions.
 */
export function isGranted(wanted: Permission): boolean {
  const { Deno: deno } = globalThis as { Deno?: { permissions?: Permissions } };
  return deno?.permissions ? deno.permissions.querySync(wanted).state === "granted" : true;
}

/** A variable of the environment; undefined where it is not set or may not be read. */
export function environmentVariable(name: string): string | undefined {
  return isGranted({ name: "env", variable: name }) ? process.env[name] || undefined : undefined;
}
