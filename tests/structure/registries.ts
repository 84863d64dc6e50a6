import type { Source } from "./sources.ts";

/** A list that others iterate over, and the files that must stand in it. */
interface Registry {
  /** The file that holds the list. */
  readonly file: string;
  /** Which files belong in it. */
  readonly members: RegExp;
  /** What a member declares; a file without it is a helper of its neighbours. */
  readonly declares: RegExp;
}

const REGISTRIES: readonly Registry[] = [
  {
    file: "estimators/methods/methods.ts",
    members: /^estimators\/methods\/[^/]+\/[^/]+\.ts$/,
    declares: /^export const \w+: Method\b/m,
  },
  {
    file: "proofs_checks/claims/claims.ts",
    members: /^proofs_checks\/claims\/(?!claims\.ts)/,
    declares: /^export const \w+: (?:readonly )?Claim\b/m,
  },
  {
    file: "proofs_checks/inputs/families.ts",
    members: /^proofs_checks\/inputs\/(?!families\.ts)/,
    declares: /^export const \w+: (?:readonly )?InputFamily\b/m,
  },
  {
    file: "cli.ts",
    members: /^commands\/[^/]+\.ts$/,
    declares: /^export const \w+ = \{\n {2}summary:/m,
  },
  {
    file: "workloads/workloads.ts",
    members: /^workloads\/(?!workloads\.ts)/,
    declares: /^export const \w+: (?:readonly )?Workload\b/m,
  },
];

/** Members that their registry does not import: what iterates over it would leave them out without a word. */
export function unregistered(sources: readonly Source[]): string[] {
  return REGISTRIES.flatMap(({ file, members, declares }) => {
    const registry = sources.find(({ path }) => path === file);
    if (!registry) return [`${file}, which should list others, is not there`];
    const belonging = sources.filter(({ path, text }) => members.test(path) && declares.test(text));
    // A pattern that finds nobody checks nothing.
    if (belonging.length === 0) {
      return [`${file} has no members: tests/structure/registries.ts looks for the wrong thing`];
    }
    return belonging.filter(({ path }) => !registry.imports.includes(path)).map(({ path }) =>
      `${file} does not list ${path}`
    );
  });
}
