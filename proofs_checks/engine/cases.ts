import { families, inputFamily } from "../inputs/families.ts";
import type { AttentionInput, InputFamily, InputOptions } from "../inputs/family.ts";
import { searchedInputs } from "../search/searched_inputs.ts";
import type { ClaimCase, InputSource } from "./claim.ts";

/** A family of generated inputs as a source. */
export function familySource<P>(
  family: InputFamily<P>,
  parameters?: P,
  name: string = family.name,
): InputSource {
  return {
    name,
    open: () => ({ next: (options: InputOptions) => family.generate({ ...parameters!, ...options }) }),
  };
}

/** Cases that must hold, one for each name. */
export function holdsOn(...names: string[]): ClaimCase[] {
  return names.map((name) => ({ source: familySource(inputFamily(name)), expected: "holds" }));
}

/** A family of which every input is changed. */
export function changedSource(
  name: string,
  family: string,
  change: (input: AttentionInput) => AttentionInput,
): InputSource {
  return { name, open: () => ({ next: (options) => change(inputFamily(family).generate(options)) }) };
}

/** A case that must be refuted, and why. */
export function refutedOn(name: string, why: string): ClaimCase {
  return { source: familySource(inputFamily(name)), expected: "refuted", why };
}

/** A case whose inputs are searched for. */
export const searchedCase: ClaimCase = { source: searchedInputs, expected: "holds" };

/** A case on inputs that a claim makes for itself. */
export function ownCase(
  source: InputSource,
  expected: "holds" | "refuted" = "holds",
  why?: string,
): ClaimCase {
  return { source, expected, why };
}

/** A source for claims that take no attention input. */
export function noInput(name: string): InputSource {
  return {
    name,
    open: () => ({
      next() {
        throw new Error(`Cannot draw an input: ${name} has none`);
      },
    }),
  };
}

/** Names of all generated families whose shape is that of a square problem. */
export const squareFamilies: readonly string[] = families.map(({ name }) => name).filter((name) =>
  !name.startsWith("shape-") && name !== "hard-instance"
);

/** Names of all families of odd shapes. */
export const shapeFamilies: readonly string[] = families.map(({ name }) => name).filter((name) =>
  name.startsWith("shape-")
);
