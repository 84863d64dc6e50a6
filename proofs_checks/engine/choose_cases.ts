import { claims as allClaims } from "../claims/claims.ts";
import { checkOneOf } from "../../kernels/check_values.ts";
import { formatName, formatValue } from "../../kernels/format_value.ts";
import { families as inputFamilies } from "../inputs/families.ts";
import { familySource } from "./cases.ts";
import type { Claim, ClaimCase, InputSource } from "./claim.ts";

/** What a verification is asked to check. */
export interface Choice {
  /** Names of claims of this package, or claims of one's own; all of this package when left out. */
  readonly claims?: readonly (string | Claim)[];
  /** Names of families; those of each claim when left out. */
  readonly families?: readonly string[];
  /** Further sources of inputs, such as real data; every claim on attention inputs is checked on them. */
  readonly sources?: readonly InputSource[];
}

/** A claim and one family to check it on. */
export type Chosen = readonly [Claim, ClaimCase];

/**
 * The cases that names and sources stand for, in the order of the registry; claims that are not of it follow in their own.
 *
 * @throws {RangeError} If there is no such name, or two claims share one.
 * @throws {TypeError} If something is neither a name nor a claim.
 */
export function chooseCases({ claims, families, sources = [] }: Choice): Chosen[] {
  const cases = chooseClaims(claims).flatMap((claim) => [
    ...claim.cases.map((claimCase): Chosen => [claim, claimCase]),
    ...(claim.anySource ? [...sources, ...furtherFamilies(claim, families)] : []).map((source): Chosen => [
      claim,
      { source, expected: "holds" },
    ]),
  ]);
  const known = [...new Set(cases.map(([, { source }]) => source.name))];
  for (const name of families ?? []) checkOneOf("verify", "family", name, known);
  return cases.filter(([, { source }]) => families === undefined || families.includes(source.name));
}

/** Verdicts that share the level: all of the registry, run or not, and those of claims that are not of it. */
export function familySizeOf(claims: Choice["claims"]): number {
  const sizeOf = (these: readonly Claim[]) => these.reduce((sum, { cases }) => sum + cases.length, 0);
  return sizeOf(allClaims) + sizeOf(ownClaims(claims));
}

/** Whether a claim is of the registry, so that the command line knows it. */
export function isRegistered(claim: Claim): boolean {
  // One about another δ is the same claim.
  return allClaims.some(({ name, run }) => name === claim.name && run === claim.run);
}

function chooseClaims(wanted: Choice["claims"]): readonly Claim[] {
  if (wanted === undefined) return allClaims;
  const known = allClaims.map(({ name }) => name);
  for (const [at, claim] of wanted.entries()) {
    if (typeof claim === "string") checkOneOf("verify", "claim", claim, known);
    else if (
      typeof claim?.run !== "function" || typeof claim.name !== "string" || !Array.isArray(claim.cases)
    ) {
      throw new TypeError(
        `Cannot verify: claims[${at}] must be the name of a claim or a claim with name, cases and run: current value is ${
          formatValue(claim)
        }`,
      );
    }
  }
  const own = ownClaims(wanted), names = [...known, ...own.map(({ name }) => name)];
  const twice = own.find(({ name }) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice) {
    throw new RangeError(
      `Cannot verify: claims must have names of their own: current value is ${formatName(twice.name)} twice`,
    );
  }
  return [...allClaims.filter((claim) => wanted.includes(claim) || wanted.includes(claim.name)), ...own];
}

/** Claims that are not of the registry, each once. */
function ownClaims(wanted: Choice["claims"] = []): Claim[] {
  return [...new Set(wanted)].filter((claim): claim is Claim =>
    typeof claim !== "string" && !isRegistered(claim)
  );
}

/** Families named by the user on which a claim is not checked by itself. */
function furtherFamilies({ cases }: Claim, names: readonly string[] = []): InputSource[] {
  const own = cases.map(({ source }) => source.name);
  return inputFamilies.filter(({ name }) => names.includes(name) && !own.includes(name)).map((family) =>
    familySource(family)
  );
}
