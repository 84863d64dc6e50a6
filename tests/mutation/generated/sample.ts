import type { Mutant } from "../mutant.ts";
export function generatedMutants(_count: number, _seed: number): readonly Mutant[] {
  return [];
}
