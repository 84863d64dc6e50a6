import { evenClusters } from "./clustered.ts";
import type { AttentionInput, InputFamily, InputOptions } from "./family.ts";
import { InputDraw } from "./input_draw.ts";

/** What the clustered inputs keep, whatever their shape: the description of every family here ends with it. */
const VERDICT = "the guarantee holds as for any other shape.";

type Shape = Partial<Omit<InputOptions, "seed" | "draw">>;

/** Clustered inputs in shapes that do not divide evenly, for n that says how large. */
export const shapes: readonly InputFamily[] = [
  shape("shape-indivisible", "a prime number of keys and another of queries", (n) => {
    const keys = largestPrime(n);
    return { n: keys, queries: largestPrime(keys - 1) };
  }),
  shape("shape-more-queries", "four queries to a key", (n) => ({ n: Math.ceil(n / 4), queries: n })),
  shape("shape-more-keys", "four keys to a query", (n) => ({ queries: Math.ceil(n / 4) })),
  shape("shape-few-keys", "five keys, fewer than a bucket", (n) => ({ n: Math.min(n, 5), queries: n })),
  shape("shape-one-key", "a single key", (n) => ({ n: 1, queries: n })),
  shape("shape-one-query", "a single query", () => ({ queries: 1 })),
  shape("shape-one-feature", "a single feature", () => ({ features: 1, valueFeatures: 1 })),
  shape("shape-odd-features", "15 features", () => ({ features: 15, valueFeatures: 15 })),
  shape("shape-wide-values", "values of 100 features", () => ({ valueFeatures: 100 })),
  shape("shape-narrow-values", "values of one feature", () => ({ valueFeatures: 1 })),
];

function shape(name: string, what: string, shapeOf: (n: number) => Shape): InputFamily {
  return {
    name,
    description: `Clusters as in clustered, with ${what}: ${VERDICT}`,
    generate(options: InputOptions): AttentionInput {
      const { keys } = new InputDraw(name, options);
      return evenClusters(new InputDraw(name, { ...options, ...shapeOf(keys) }));
    },
  };
}

/** The largest prime up to n, or 1. */
function largestPrime(n: number): number {
  for (let candidate = n; candidate > 1; candidate--) {
    let divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
    if (divisor * divisor > candidate) return candidate;
  }
  return 1;
}
