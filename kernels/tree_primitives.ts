import type { DeviceArray } from "./device_array.ts";

export { GOLDEN_SECTION, NEGLIGIBLE_WEIGHT, TREE_BUNDLE, TREE_GROUP, TREE_SAMPLE } from "./constants.ts";

/** A binary tree over the rows of each head, down to single rows: see {@link Backend.growTree}. */
export interface RowTree {
  /** [heads, count] words: the rows in the order of the leaves; a node is a range of that order. */
  readonly order: DeviceArray;
  /** [heads, count, width]: the rows in that order. */
  readonly rows: DeviceArray;
  /**
   * [heads, count, 4] words. Entry c > 0 is the node that is cut before position c: where it begins, where it ends, and before
   * which positions its two sides are cut, 0 for a side of one row. Entry 0 is 0, count, where the whole is cut, or 0 for a single row, and 0.
   */
  readonly cuts: DeviceArray;
}

/** Keys as they weigh for some centres: see {@link Backend.tiltKeys}. */
export interface TiltedKeys {
  /** [heads, centres, count]: softmax weights; 0 for a centre that sees no key. */
  readonly weights: DeviceArray;
  /** [heads, centres]: logarithm of the sum of the exponentials of the logits; EMPTY for a centre that sees no key. */
  readonly logMass: DeviceArray;
  /** [heads, centres, count]: what cutting before a position gains; 0 at 0. */
  readonly gains: DeviceArray;
}

/** Where lists are cut: see {@link Backend.openLists}. */
export interface OpenLists {
  /** [heads]: lists are cut before the positions whose gain is no less. */
  readonly threshold: DeviceArray;
  /** [heads, centres] words: entries of each list. */
  readonly lengths: DeviceArray;
}

/** What stands for keys in lists: see {@link Backend.sumLists}. */
export interface ListSums {
  /** [heads, most, features] */
  readonly key: DeviceArray;
  /** [heads, most, valueFeatures] */
  readonly value: DeviceArray;
  /** [heads, most]: what a query adds to its logit with the key; EMPTY where there is nothing. */
  readonly logWeight: DeviceArray;
}

/** What attention by a tree of keys asks of a device. */
export interface TreePrimitives {
  /**
   * Cuts the rows of each head in two, each half again, and so on down to single rows. Of each ⌈size/TREE_SAMPLE⌉
   * of the rows of a node one is in its sample ({@link GOLDEN_SECTION}). Two centres, the member of the sample farthest from its first, and the member farthest
   * from that, become the means of the members nearer to each, three times, or until one has none. With the normal from the first
   * to the second, a row lies on the near side if ⟨row, normal⟩ is no more than half-way between them, or, where that leaves less than
   * ⌈sample/8⌉ members on one side, no more than the product of the last member that has to be near, or of the last that need not be
   * far. Rows of the near side come first;
   * both keep their order. If one side has no row, or the node at most TREE_BUNDLE rows, it is cut in the middle of its order.
   */
  growTree(args: {
    /** [heads, count, width] */
    readonly rows: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
  }): RowTree;

  /** The nearest centre of each row, the first of those as near: [heads, count] words. */
  nearestCentres(args: {
    /** [heads, count, width] */
    readonly rows: DeviceArray;
    /** [heads, centres, width] */
    readonly centre: DeviceArray;
    readonly heads: number;
    readonly count: number;
    readonly width: number;
    readonly centres: number;
  }): DeviceArray;

  /**
   * How keys weigh for each centre, w = softmax of its logits, and what cutting a node of their tree would gain: with the rows y of its
   * keys, Σ w ‖y − ȳ‖², ȳ their mean under w, but no more than its parent gains, so that what gains most is cut first. Weights
   * below NEGLIGIBLE_WEIGHT are 0. A node of at most TREE_BUNDLE keys is cut into single keys at once, where its first cut is.
   * A centre sees all keys, or those alone that come before its end in the order that they had before the tree's.
   *
   * With offsets of some queries from their centre, gains are of the weights w f: keys fall into groups, which begin at 0 and where the largest node,
   * the first of these, is cut of each further run of TREE_GROUP positions. A query z looks at a group with the share p_z, a softmax of
   * ⟨z, ȳ⟩ + ln Σ w + half the group's variance of y. For a group f is the root mean square of p over its queries and the centre, whose p is Σ w, over Σ w:
   * what some of the queries look at is worth cutting, whether the centre looks there or not.
   */
  tiltKeys(args: {
    /** [heads, centres, count]: logits of the keys in the order of the tree. */
    readonly logits: DeviceArray;
    readonly tree: RowTree;
    /** [heads, centres] words: keys that each centre sees, the first ones as `tree.order` counts them; may be 0. All if left out. */
    readonly ends?: DeviceArray;
    /** [heads, centres, picks, width]: ⟨offset, row⟩ is what the logits of a query differ by from those of its centre. */
    readonly offsets?: DeviceArray;
    /** Queries of each centre that `offsets` has; 0 if left out. */
    readonly picks?: number;
    readonly heads: number;
    readonly centres: number;
    readonly count: number;
    readonly width: number;
  }): TiltedKeys;

  /**
   * Cuts the keys of each centre into a list, before the positions that gain most: the threshold is the least positive number whose last
   * 16 bits are 0 with Σ_i sizes_i · lengths_i <= budget over the centres of a head; 2^127 if there is none.
   */
  openLists(args: {
    /** [heads, centres, count] */
    readonly gains: DeviceArray;
    /** [heads, centres] words: queries of each centre. */
    readonly sizes: DeviceArray;
    readonly heads: number;
    readonly centres: number;
    readonly count: number;
    /** Below 2^32. */
    readonly budget: number;
  }): OpenLists;

  /**
   * What stands for the keys of each entry of a list, one list after the other: their mean key k̃ and mean value under the weights w, and for
   * its logit with a query the logarithm of Σ w, that of the mass of all keys, half the variance of the rows y under w, less ⟨c, k̃⟩:
   * logits are right to first order about the centre c, and to second order in the mean over queries for which the rows are made. An entry without mass has its first key and value, and weighs
   * EMPTY.
   */
  sumLists(args: {
    /** [heads, count, features], in the order of the tree. */
    readonly key: DeviceArray;
    /** [heads, count, valueFeatures], in the order of the tree. */
    readonly value: DeviceArray;
    readonly tree: RowTree;
    readonly tilted: TiltedKeys;
    readonly threshold: DeviceArray;
    /** [heads, centres] words: the first entry of each list. */
    readonly first: DeviceArray;
    /** [heads, centres, features]: centres times the scale of logits. */
    readonly centre: DeviceArray;
    readonly heads: number;
    readonly centres: number;
    readonly count: number;
    readonly width: number;
    readonly features: number;
    readonly valueFeatures: number;
    /** Entries of the lists of one head that there is room for. */
    readonly most: number;
  }): ListSums;
}
