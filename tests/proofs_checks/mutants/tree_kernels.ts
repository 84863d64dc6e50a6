import type { Backend } from "../../../kernels/backend.ts";
import { floats, floatValues, words, wordValues } from "../../../kernels/reference/array.ts";
import type { ListSums } from "../../../kernels/tree_primitives.ts";
import { replaceKernels } from "./kernels.ts";

type Sum = Parameters<Backend["sumLists"]>[0];

/** Lists that are summed, and what is wrong with them. */
function wrongSums(spoil: (sums: ListSums, args: Sum, backend: Backend) => Partial<ListSums>) {
  return replaceKernels((backend) => ({
    sumLists: (args) => {
      const sums = backend.sumLists(args);
      return { ...sums, ...spoil(sums, args, backend) };
    },
  }));
}

/** The same lists with other weights of keys. */
function reweighted(args: Sum, weight: (w: number, key: number) => number): Sum {
  const weights = floatValues(args.tilted.weights).map((w, at) => weight(w, at % args.count));
  return { ...args, tilted: { ...args.tilted, weights: floats(weights) } };
}

/** Half the variance taken off where it is to be added. */
export const varianceTakenOff = wrongSums(({ logWeight }, args, backend) => {
  const still = floats(new Float64Array(args.tree.rows.length));
  const without = floatValues(backend.sumLists({ ...args, tree: { ...args.tree, rows: still } }).logWeight);
  return { logWeight: floats(floatValues(logWeight).map((x, at) => 2 * without[at] - x)) };
});

/** The last key in the order of the tree weighs nothing, be it an entry of its own or a part of one. */
export const lastKeyDropped = wrongSums((_, args, backend) =>
  backend.sumLists(reweighted(args, (w, key) => key === args.count - 1 ? 0 : w))
);

/** Entries with the mean of their values where the mean under their weights belongs. */
export const valuesNotTilted = wrongSums((_, args, backend) => ({
  value: backend.sumLists(reweighted(args, (w) => w > 0 ? 1 : 0)).value,
}));

/** Entries with the mean of their keys where the mean under their weights belongs; at the centre they weigh what they should. */
export const keysNotTilted = wrongSums(({ key, logWeight }, args, backend) => {
  const { key: plain } = backend.sumLists(reweighted(args, (w) => w > 0 ? 1 : 0));
  const { features, most, centres } = args, first = wordValues(args.first), centre = floatValues(args.centre);
  const moved = floatValues(key).map((x, at) => x - floatValues(plain)[at]);
  const weights = floatValues(logWeight).map((x, entry) => {
    const head = Math.floor(entry / most), own = entry % most;
    let cluster = head * centres;
    while (cluster + 1 < (head + 1) * centres && first[cluster + 1] <= own) cluster++;
    for (let t = 0; t < features; t++) x += centre[cluster * features + t] * moved[entry * features + t];
    return x;
  });
  return { key: plain, logWeight: floats(weights) };
});

/** The second entry of all lists of a head is the first one again. */
export const entryTwice = wrongSums(({ key, value, logWeight }, { heads, most }) => {
  const twice = (array: ListSums["key"]) => {
    const values = floatValues(array).slice(), width = values.length / (heads * most);
    for (let head = 0; head < heads && most > 1; head++) {
      values.copyWithin((head * most + 1) * width, head * most * width, (head * most + 1) * width);
    }
    return floats(values);
  };
  return { key: twice(key), value: twice(value), logWeight: twice(logWeight) };
});

/** Queries leave the last entry of their list out. */
export const lastEntryMissing = replaceKernels((backend) => ({
  attend: (args) => {
    if (!args.bounds || !args.logWeights) return backend.attend(args);
    const positions = wordValues(args.bounds.positions).map((x, at, all) =>
      at % 4 === 3 && x > all[at - 1] + 1 ? x - 1 : x
    );
    return backend.attend({ ...args, bounds: { ...args.bounds, positions: words(positions) } });
  },
}));

/** All heads weigh their keys from the centres of the first. */
export const centresOfFirstHead = replaceKernels((backend) => ({
  tiltKeys: (args) => {
    const logits = floatValues(args.logits), own = args.centres * args.count;
    return backend.tiltKeys({ ...args, logits: floats(logits.map((_, at) => logits[at % own])) });
  },
}));

/** Clusters see one key more than comes before their block. */
export const oneKeyTooMany = replaceKernels((backend) => ({
  tiltKeys: (args) => {
    const ends = args.ends && words(wordValues(args.ends).map((end) => Math.min(args.count, end + 1)));
    return backend.tiltKeys({ ...args, ends });
  },
}));

/** Within a block queries see one key further. */
export const oneKeyFurther = replaceKernels((backend) => ({
  attend: ({ causal, ...args }) =>
    backend.attend({ ...args, causal: causal && { ...causal, offset: causal.offset + 1 } }),
}));

/** Rows of keys that vary where no query does, as they did when the factor of no spread was taken to be 1. */
export const spreadOfNothing = replaceKernels((backend) => ({
  growTree: (args) => {
    const rows = floatValues(args.rows);
    const own = rows.every((x) => x === 0)
      ? floats(rows.map((_, at) => (at * 7 + at % 5) % 11 / 11))
      : args.rows;
    return backend.growTree({ ...args, rows: own });
  },
}));

/** Values of entries on a grid that the largest of all values makes, seen or not. */
export const valuesOnGrid = wrongSums(({ value }, args) => {
  const largest = floatValues(args.value).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const grid = largest * 2 ** -22;
  return { value: floats(floatValues(value).map((x) => Math.round(x / grid) * grid)) };
});
