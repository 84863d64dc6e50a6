import { type Choice, isRegistered } from "./choose_cases.ts";

/** Which cases were asked for, in names that a command knows. */
export interface Asked {
  /** Names of claims; null for all. */
  readonly claims: readonly string[] | null;
  /** Names of families; null for those of each claim. */
  readonly families: readonly string[] | null;
}

/** What was asked for; undefined where no command can ask for it: claims and inputs of others have no names that it knows. */
export function askedFor({ claims, families, sources = [] }: Choice): Asked | undefined {
  if (sources.some(({ name }) => !families?.includes(name))) return undefined;
  if (claims?.some((claim) => typeof claim !== "string" && !isRegistered(claim))) return undefined;
  return {
    claims: claims?.map((claim) => typeof claim === "string" ? claim : claim.name) ?? null,
    families: families ?? null,
  };
}

/** What several verifications were asked for, if it is the same of all. */
export function commonlyAsked(reports: readonly { readonly asked?: Asked }[]): { readonly asked?: Asked } {
  const [{ asked }] = reports;
  const same = reports.every((report) => JSON.stringify(report.asked) === JSON.stringify(asked));
  return same && asked ? { asked } : {};
}
