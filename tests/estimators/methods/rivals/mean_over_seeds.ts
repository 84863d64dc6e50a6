/** What {@link meanOverSeeds} finds. */
export interface SeedMean {
  readonly mean: number;
  readonly standardErrors: number;
}

/** Mean of a number over seeds, and how many of its standard errors lie between it and what it should be. */
export function meanOverSeeds(seeds: number, measure: (seed: number) => number, expected: number): SeedMean {
  let sum = 0, squares = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const off = measure(seed) - expected;
    sum += off;
    squares += off * off;
  }
  const mean = sum / seeds, error = Math.sqrt((squares / seeds - mean * mean) / (seeds - 1));
  return { mean: expected + mean, standardErrors: mean / error };
}
