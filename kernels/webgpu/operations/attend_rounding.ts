import type { AttendRounding, RoundingShape } from "../../rounding.ts";
import { keysOfPart } from "./attend.ts";

/**
 * WGSL lets a device round either way ("correctly rounded" there is one of the two neighbours), compute a fused
 * multiply-add as a product and a sum, and divide to 2.5 units in the last place; reassociated sums keep a bound that
 * counts roundings. Of the two kernels the one that rounds more often is meant: attend_tiles.wgsl, four keys at a time.
 */
export function attendRounding({ features, keys, keysAtOnce }: RoundingShape): AttendRounding {
  const unit = 2 ** -23, { parts, mostKeys } = keysOfPart(keys, keysAtOnce), fours = Math.ceil(mostKeys / 4);
  return {
    unit,
    // Two units in the last place where every operation rounds to nearest (elementary.wgsl); twice that where not.
    exponential: 4 * unit,
    // A device may reassociate n · low + (n · high + x) into n · ln 2 + x, and Mesa does: ln 2 in f32 and the product with it
    // are then rounded.
    exponentialPerUnit: 2 * unit,
    product: features + 3,
    // A product, a chain over all keys and a rescaling for every four; a chain over fours of weights, three sums in
    // each at most, runs of 32 in attend_registers.wgsl, and as many rescalings; the division and its product.
    sum: 1 + mostKeys + fours + fours + 34 + fours + 4,
    rescalings: fours,
    merges: parts - 1,
    underflow: 2 ** -126,
    output: 0,
  };
}
