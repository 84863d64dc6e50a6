import { philox, seedWords } from "../../kernels/random.ts";

/** What a seed of a case is for. */
export const SeedUse = { input: 0, estimator: 1, source: 2 } as const;

/**
 * Seed of one run of one case: a function of the user's seed, the names and the run alone, so that a case can be run by
 * itself, on another machine or in another order, and gives the same.
 */
export function runSeed(seed: number, claim: string, family: string, run: number, use: number): number {
  const [low, high] = philox(seedWords(seed), [run, hashOf(claim), hashOf(family), 1024 + use]);
  return low + (high & 0x1fffff) * 2 ** 32;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
