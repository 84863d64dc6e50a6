import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { RowTree, TiltedKeys } from "../tree_primitives.ts";
import type { Inputs } from "./inputs.ts";
import { knownAnswer, type KnownAnswers, type Size } from "./known_answer.ts";

/** Most rows that every device cuts within a workgroup, and how often those that there are make many. */
const FEW = 64, MANY = 9;

/** Rows of which each is a point, far from all others, and a little beside: where they are cut hangs on no rounding. */
function apart(inputs: Inputs, { heads, keys, features }: Size): Float32Array {
  return inputs.values(heads * keys * features).map((x) => x + inputs.integer(9) - 4);
}

function grown(inputs: Inputs, size: Size): Arguments<"growTree"> {
  return {
    rows: inputs.upload(apart(inputs, size)),
    heads: size.heads,
    count: size.keys,
    width: size.features,
  };
}

const tiltedArrays = ({ weights, logMass, gains }: TiltedKeys) => [weights, logMass, gains];

const treeArrays = ({ order, rows, cuts }: RowTree) => [order, rows, cuts];

/** The cuts of a head whose nodes are cut in their middle, as {@link RowTree.cuts}. */
function evenCuts(count: number): Uint32Array {
  const cuts = new Uint32Array(4 * count);
  const cut = (begin: number, end: number): number => {
    if (end - begin < 2) return 0;
    const at = begin + (end - begin >> 1);
    cuts.set([begin, end, cut(begin, at), cut(at, end)], 4 * at);
    return at;
  };
  cuts.set([0, count, cut(0, count)]);
  return cuts;
}

/** A tree over any rows: what it is asked of does not hang on where it was cut. */
function evenTree(
  inputs: Inputs,
  { heads, keys, features }: Pick<Size, "heads" | "keys" | "features">,
): RowTree {
  const cuts = new Uint32Array(4 * heads * keys), own = evenCuts(keys);
  for (let head = 0; head < heads; head++) cuts.set(own, 4 * head * keys);
  return {
    order: inputs.upload(inputs.permutations(heads, keys)),
    rows: inputs.floats(heads * keys * features),
    cuts: inputs.upload(cuts),
  };
}

/** Numbers that are cut between without rounding: their last 16 bits are in the middle of what these can be. */
function gainsOf(inputs: Inputs, lists: number, count: number): Float32Array {
  return Float32Array.from(
    { length: lists * count },
    (_, at) => at % count === 0 ? 0 : (1 + 2 ** -8) * 2 ** (inputs.integer(12) - 6),
  );
}

/** Lists whose gains are cut at 1, one behind the other. */
function summed(inputs: Inputs, size: Size) {
  const { heads, keys: count, features, valueFeatures, points: centres } = size, lists = heads * centres;
  const gains = gainsOf(inputs, lists, count), first = new Uint32Array(lists);
  for (let list = 0; list < lists; list++) {
    const before = gains.subarray((list - 1) * count, list * count);
    first[list] = list % centres === 0 ? 0 : first[list - 1] + 1 + before.filter((gain) => gain >= 1).length;
  }
  return {
    key: inputs.floats(heads * count * features),
    value: inputs.floats(heads * count * valueFeatures),
    tree: evenTree(inputs, size),
    tilted: {
      weights: inputs.upload(inputs.distributions(lists, count)),
      logMass: inputs.positive(lists),
      gains: inputs.upload(gains),
    },
    threshold: inputs.upload(new Float32Array(heads).fill(1)),
    first: inputs.upload(first),
    centre: inputs.floats(lists * features),
    heads,
    centres,
    count,
    width: features,
    features,
    valueFeatures,
    most: centres * count,
  };
}

/** A tree over keys, how it weighs for centres, and lists of its nodes. */
export const treeAnswers = {
  growTree: [
    knownAnswer("growTree", (inputs, size) => grown(inputs, size), treeArrays),
    // More rows than a sample, or a workgroup, has.
    knownAnswer(
      "growTree",
      (inputs, size) => grown(inputs, { ...size, keys: MANY * size.keys }),
      treeArrays,
      ({ count }) => count > FEW,
    ),
  ],
  nearestCentres: [
    knownAnswer(
      "nearestCentres",
      (inputs, size) => ({
        rows: inputs.upload(apart(inputs, size)),
        centre: inputs.floats(size.heads * size.points * size.features),
        heads: size.heads,
        count: size.keys,
        width: size.features,
        centres: size.points,
      }),
      (labels: DeviceArray) => [labels],
    ),
  ],
  tiltKeys: [
    knownAnswer(
      "tiltKeys",
      (inputs, size) => ({
        logits: inputs.floats(size.heads * size.points * size.keys),
        tree: evenTree(inputs, size),
        heads: size.heads,
        centres: size.points,
        count: size.keys,
        width: size.features,
      }),
      tiltedArrays,
      ({ ends, offsets }) => ends === undefined && offsets === undefined,
    ),
    // Centres that see some of the keys, none, and all.
    knownAnswer(
      "tiltKeys",
      (inputs, { heads, points: centres, keys: count, features: width }) => ({
        logits: inputs.floats(heads * centres * count),
        tree: evenTree(inputs, { heads, keys: count, features: width }),
        ends: inputs.upload(
          Uint32Array.from({ length: heads * centres }, (_, at) => [0, inputs.integer(count), count][at % 3]),
        ),
        heads,
        centres,
        count,
        width,
      }),
      tiltedArrays,
      ({ ends }) => ends !== undefined,
    ),
    // What gains by the queries of each centre.
    knownAnswer(
      "tiltKeys",
      (inputs, { heads, points: centres, keys: count, features: width, probes: picks }) => ({
        logits: inputs.floats(heads * centres * count),
        tree: evenTree(inputs, { heads, keys: count, features: width }),
        offsets: inputs.floats(heads * centres * picks * width),
        picks,
        heads,
        centres,
        count,
        width,
      }),
      tiltedArrays,
      ({ offsets }) => offsets !== undefined,
    ),
  ],
  openLists: [
    knownAnswer(
      "openLists",
      (inputs, { heads, points: centres, keys: count }) => ({
        gains: inputs.upload(gainsOf(inputs, heads * centres, count)),
        sizes: inputs.words(heads * centres, 9),
        heads,
        centres,
        count,
        budget: 2 * centres * count,
      }),
      ({ threshold, lengths }) => [threshold, lengths],
    ),
  ],
  sumLists: [
    knownAnswer("sumLists", summed, ({ key, value, logWeight }) => [key, value, logWeight]),
  ],
} satisfies KnownAnswers<"growTree" | "nearestCentres" | "tiltKeys" | "openLists" | "sumLists">;
