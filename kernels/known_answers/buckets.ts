import { Purpose, seedWords } from "../random.ts";
import type { Inputs } from "./inputs.ts";
import { knownAnswer, type KnownAnswers } from "./known_answer.ts";

/** Hyperplanes of the hash. */
const PROJECTIONS = 5;
/** Buckets that rows are in before queries and keys are paired, and the largest blocks. */
const BUCKETS = 6, MOST_QUERIES = 4, MOST_KEYS = 5;

/** Odd halves: every device has the same sum of products of an odd number of them, which is never 0. */
function oddHalves(inputs: Inputs, length: number): Float32Array {
  return Float32Array.from({ length }, () => inputs.integer(8) - 3.5);
}

/** Ranks of each head below {@link BUCKETS}, and the rows in their order. */
function ranked(inputs: Inputs, heads: number, count: number) {
  const ranks = Uint32Array.from({ length: heads * count }, () => inputs.integer(BUCKETS));
  const order = new Uint32Array(heads * count);
  for (let head = 0; head < heads; head++) {
    const own = Array.from(ranks.subarray(head * count, (head + 1) * count), (rank, row) => [rank, row]);
    own.sort(([a, i], [b, j]) => a - b || i - j).forEach(([, row], at) => order[head * count + at] = row);
  }
  return { ranks: inputs.upload(ranks), order: inputs.upload(order) };
}

/** Hashing, sorting and pairing, and the sampling of keys. */
export const bucketAnswers = {
  angularHash: [
    knownAnswer(
      "angularHash",
      (inputs, { heads, keys, features }) => ({
        rows: inputs.upload(oddHalves(inputs, heads * keys * features)),
        // Less odd eighths, what is left are odd eighths.
        shift: inputs.upload(oddHalves(inputs, heads * features).map((x) => x / 4)),
        hyperplanes: inputs.upload(oddHalves(inputs, heads * PROJECTIONS * features)),
        heads,
        count: keys,
        width: features,
        projections: PROJECTIONS,
      }),
      (ranks) => [ranks],
    ),
  ],
  sortByBucket: [
    knownAnswer(
      "sortByBucket",
      (inputs, { heads, keys }) => ({
        ranks: inputs.words(heads * keys, 16),
        heads,
        count: keys,
        buckets: 16,
      }),
      ({ order, position }) => [order, position],
    ),
  ],
  pairBuckets: [
    knownAnswer(
      "pairBuckets",
      (inputs, { heads, queries, keys }) => {
        const ofQueries = ranked(inputs, heads, queries), ofKeys = ranked(inputs, heads, keys);
        return {
          queryRanks: ofQueries.ranks,
          queryOrder: ofQueries.order,
          keyRanks: ofKeys.ranks,
          keyOrder: ofKeys.order,
          heads,
          queries,
          keys,
          buckets: BUCKETS,
          mostQueries: MOST_QUERIES,
          mostKeys: MOST_KEYS,
        };
      },
      (positions) => [positions],
    ),
  ],
  keyImportance: [
    knownAnswer(
      "keyImportance",
      (inputs, { heads, queries, keys, valueFeatures }) => ({
        probabilities: inputs.upload(inputs.distributions(heads * queries, keys)),
        probes: queries,
        counted: queries - 1,
        value: inputs.floats(heads * keys * valueFeatures),
        centre: inputs.floats(heads * valueFeatures),
        valueScale: 0.5,
        heads,
        keys,
        valueFeatures,
        columnShare: 0.5,
        valueShare: 0.3,
        uniformShare: 0.2,
      }),
      (importance) => [importance],
    ),
  ],
  sampleKeys: [
    knownAnswer(
      "sampleKeys",
      (inputs, { heads, keys }) => ({
        importance: inputs.positive(heads * keys),
        heads,
        keys,
        samples: Math.floor(keys / 5),
        seed: seedWords(7),
        purpose: Purpose.samples,
        firstStream: 3,
      }),
      ({ index, logWeight }) => [index, logWeight],
    ),
  ],
} satisfies KnownAnswers<"angularHash" | "sortByBucket" | "pairBuckets" | "keyImportance" | "sampleKeys">;
