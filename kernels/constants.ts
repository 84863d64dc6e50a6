/**
 * Numbers that the contracts of the primitives name. The only place where they stand: backends import them, `wasm/assembly/` does so as
 * well, hence the common part of TypeScript and AssemblyScript, and WGSL gets those that it mentions (`webgpu/engine/constants.ts`).
 */

/**
 * Logits at or below this weight are masked: exp(MASKED) is zero for every other logit. Finite, since WGSL
 * need not support infinities.
 */
export const MASKED = -1e38;
/** Row log-sum-exp of an empty set of keys: the stand-in for minus infinity. */
export const EMPTY = -3e38;
/** In an index of rows: no row. */
export const NO_ROW = 0xffffffff;
/** Squared distance to no row: exp(−FAR/2) is zero. */
export const FAR = 3e38;

/** Cutting a cluster looks for its pivot among at most this many members: {@link Backend.bisectRows}. */
export const PIVOT_CANDIDATES = 16;
/** Where to cut a cluster is decided by at most this many members: {@link Backend.bisectRows}. */
export const CUT_SAMPLE = 96;
/**
 * The golden section of 2^16. Of `count` things in parts of `every`, but for the last, that at · every + ⌊(at · GOLDEN_SECTION mod 2^32)/2^16⌋ mod size stands for
 * part number `at` of so many: so much more than a whole number apart in the mean, they meet every column of an image and every word of a refrain, which
 * things a whole number apart need not, and are as even. So primitives look at some of the rows, keys or members of a node.
 */
export const GOLDEN_SECTION = 40503;
/** Of the scatter of all rows, that at which a cluster counts as one point, 2^−20: below f32 rounding. */
export const NEGLIGIBLE_SCATTER = 9.5367431640625e-7;
/** Mass that each key has at least when points are fitted, so that keys that no probe sees have a mean: {@link Backend.fitPoints}. */
export const LEAST_MASS = 1e-20;
/** Total of fitted masses that counts as underflown: {@link Backend.fitPoints}. */
export const LEAST_TOTAL = 1e-30;
/** Ridge in units of the mean diagonal of the Gram matrix: {@link Backend.calibrateValues}. */
export const RIDGE = 0.1;
/** Least size of a column in units of the largest: {@link Backend.calibrateValues}. */
export const LEAST_COLUMN = 1e-3;
/** Relative error from which a fit counts as useless: {@link Backend.calibrateValues}. */
export const USELESS = 0.5;
/** Where to cut a node of a tree is decided by at most this many of its rows: {@link Backend.growTree}. */
export const TREE_SAMPLE = 256;
/** Nodes of at most this many keys are cut in the middle, and into single keys at once: {@link Backend.growTree}, {@link Backend.tiltKeys}. */
export const TREE_BUNDLE = 4;
/** Keys of a group, in the mean, that queries are asked about as one: {@link Backend.tiltKeys}. */
export const TREE_GROUP = 16;
/** Softmax weights below this are 0, 2^−40: {@link Backend.tiltKeys}. */
export const NEGLIGIBLE_WEIGHT = 9.094947017729282e-13;
