/**
 * Every family of generated inputs, random and adversarial. What the guarantee says of each stands in its
 * description; whether that is so is for the claims to measure.
 *
 * @module
 */
import { checkOneOf } from "../../kernels/check_values.ts";
import { hiddenDirections, normVersusAngle } from "./angles.ts";
import { boundedNorms } from "./bounded_norms.ts";
import { clustered, clusterImbalance } from "./clustered.ts";
import { commonKeyOffset, duplicatedKeys, tinyDensity } from "./displaced.ts";
import type { InputFamily } from "./family.ts";
import { gaussian } from "./gaussian.ts";
import { hardInstance } from "./hard_instance.ts";
import { needle, sinkKey } from "./heavy_keys.ts";
import { nearHyperplane, seedAware } from "./hyperplanes.ts";
import { heavyTailed, hugeLogits, lognormalLogits } from "./logit_scale.ts";
import { shapes } from "./shapes.ts";
import { equalQueries, lowRank, permutationSoftmax, uniformSoftmax } from "./stable_rank.ts";
import { alternatingValues, hugeValue, rareValue } from "./values.ts";

export type { AttentionInput, InputFamily, InputOptions } from "./family.ts";

/** All families, the plain ones first. */
export const families: readonly InputFamily[] = [
  gaussian,
  clustered,
  heavyTailed,
  lowRank,
  boundedNorms,
  uniformSoftmax,
  equalQueries,
  permutationSoftmax,
  sinkKey,
  needle,
  hardInstance,
  lognormalLogits,
  hugeLogits,
  duplicatedKeys,
  commonKeyOffset,
  tinyDensity,
  clusterImbalance,
  normVersusAngle,
  hiddenDirections,
  nearHyperplane,
  seedAware,
  hugeValue,
  rareValue,
  alternatingValues,
  ...shapes,
];

/**
 * The family of a name.
 *
 * @example
 * ```ts
 * import { inputFamily } from "./families.ts";
 * const { query, scale } = inputFamily("sink-key").generate({ n: 256, seed: 7 });
 * console.log(query.shape, scale); // [1, 256, 64] 0.125
 * ```
 *
 * @throws {TypeError} If it is not a string.
 * @throws {RangeError} If there is none.
 */
export function inputFamily(name: string): InputFamily {
  checkOneOf("find an input family", "name", name, families.map(({ name }) => name));
  return families.find((family) => family.name === name)!;
}
