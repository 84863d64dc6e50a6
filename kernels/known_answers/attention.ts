import type { AttendArguments, PartialAttention } from "../backend.ts";
import type { Inputs } from "./inputs.ts";
import { knownAnswer, type KnownAnswers, type Size } from "./known_answer.ts";

/** Blocks of queries and keys. */
const BLOCKS = 4;

function problem(inputs: Inputs, size: Size): AttendArguments {
  const { heads, queries, keys, features, valueFeatures } = size;
  return {
    heads,
    queries,
    keys,
    features,
    valueFeatures,
    scale: 1.5,
    query: inputs.floats(heads * queries * features),
    key: inputs.floats(heads * keys * features),
    value: inputs.floats(heads * keys * valueFeatures),
  };
}

const both = ({ output, logSumExp }: PartialAttention) => [output, logSumExp];

const causal = knownAnswer(
  "attend",
  (inputs, size) => ({
    ...problem(inputs, size),
    causal: { period: size.queries, offset: size.keys - size.queries },
  }),
  both,
);

/** Blocks of reordered rows, and keys that all blocks see. */
const sampled = knownAnswer(
  "attend",
  (inputs, size) => {
    const { heads, keys, queries } = size, count = Math.floor(keys / 5);
    const keyOrder = inputs.permutations(heads, keys);
    const index = inputs.permutations(heads, keys).filter((_, at) => at % keys < count);
    return {
      ...problem(inputs, size),
      blocks: BLOCKS,
      queryOrder: inputs.upload(inputs.permutations(heads, queries)),
      keyOrder: inputs.upload(keyOrder),
      samples: {
        count,
        index: inputs.upload(index),
        logWeights: inputs.floats(heads * count),
        position: inputs.upload(inputs.inverses(keyOrder, heads, keys)),
      },
    };
  },
  both,
);

/** Weighted keys, each hidden from one block of queries. */
const excluding = knownAnswer(
  "attend",
  (inputs, size) => ({
    ...problem(inputs, size),
    logWeights: inputs.floats(size.heads * size.keys),
    exclude: { keyBlocks: inputs.words(size.heads * size.keys, BLOCKS), blocks: BLOCKS },
  }),
  both,
  ({ exclude }) => exclude !== undefined,
);

/** Blocks of given bounds, one of them empty. */
const bounded = knownAnswer(
  "attend",
  (inputs, size) => {
    const { heads, keys, queries } = size, middle = Math.floor(queries / 3);
    const blocks = [[0, middle, 2, 13], [middle, middle, 13, 13], [middle, queries, 13, keys]];
    const positions = Array.from({ length: heads }, () => blocks.flat()).flat();
    return {
      ...problem(inputs, size),
      blocks: blocks.length,
      bounds: {
        positions: inputs.upload(Uint32Array.from(positions)),
        mostQueries: queries - middle,
        mostKeys: keys - 11,
      },
    };
  },
  both,
  ({ bounds }) => bounds !== undefined,
);

/** Keys and values that half floats hold as they are. */
const halved = knownAnswer(
  "attend",
  (inputs, size) => {
    const halves = (length: number) =>
      inputs.upload(inputs.values(length).map((x) => Math.round(256 * x) / 256));
    return {
      ...problem(inputs, size),
      key: halves(size.heads * size.keys * size.features),
      value: halves(size.heads * size.keys * size.valueFeatures),
      halves: { largestKey: 1, largestValue: 1 },
    };
  },
  both,
  ({ halves }) => halves !== undefined,
);

/** Logits from squared distances. */
const distant = knownAnswer(
  "attend",
  (inputs, size) => ({ ...problem(inputs, size), distances: true }),
  both,
  ({ distances }) => distances === true,
);

/** Attention, softmax rows and the merging of parts. */
export const attentionAnswers = {
  attend: [causal, sampled, excluding, bounded, halved, distant],
  softmaxRows: [knownAnswer("softmaxRows", problem, (probabilities) => [probabilities])],
  attendProbes: [
    knownAnswer("attendProbes", problem, (result) => [...both(result), result.probabilities]),
  ],
  mergeAttention: [
    knownAnswer(
      "mergeAttention",
      (inputs, { heads, queries, valueFeatures }) => {
        const part = () => ({
          output: inputs.floats(heads * queries * valueFeatures),
          logSumExp: inputs.floats(heads * queries),
        });
        return { heads, queries, valueFeatures, first: part(), second: part() };
      },
      both,
    ),
  ],
} satisfies KnownAnswers<"attend" | "softmaxRows" | "attendProbes" | "mergeAttention">;
