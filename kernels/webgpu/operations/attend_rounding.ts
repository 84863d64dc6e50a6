import type { AttendRounding, RoundingShape } from "../../rounding.ts";
import { TILE_SIZES } from "../tuning.ts";
import { chains, cutKeys } from "./attend.ts";

/** Where tiles do not divide a stretch, it lacks less than the longest of them. */
const SHORTEST_STRETCH = chains.STRETCH - Math.max(...TILE_SIZES);

/**
 * WGSL lets a device round either way ("correctly rounded" there is one of the two neighbours), compute a fused
 * multiply-add as a product and a sum, and divide to 2.5 units in the last place; reassociated sums keep a bound that
 * counts roundings. Of the kernels the one that rounds most often is meant. Splits of keys count as none: each saves
 * a chain of more keys, or more stretches, than its joining has roundings.
 */
export function attendRounding({ features, keys, halved = false }: RoundingShape): AttendRounding {
  const unit = 2 ** -23, { parts, mostKeys } = cutKeys(keys);
  const stretch = Math.min(mostKeys, chains.STRETCH), fours = Math.ceil(stretch / 4);
  const stretches = Math.ceil(mostKeys / SHORTEST_STRETCH);
  const totals = 2 * Math.min(stretches, chains.TOTALS) + stretches + Math.ceil(stretches / chains.TOTALS);
  return {
    unit,
    // Two units in the last place where every operation rounds to nearest (elementary.wgsl); twice that where not.
    exponential: 4 * unit,
    // A device may reassociate n · low + (n · high + x) into n · ln 2 + x, and Mesa does: ln 2 in f32 and the product with it
    // are then rounded.
    exponentialPerUnit: 2 * unit,
    // Of the chains of features no use is made, since a device may join them.
    product: features + 3,
    // A product, a chain over a stretch of keys, a rescaling for every four of them and two roundings for every stretch; a
    // chain over fours of weights, three sums in each at most, runs of 32 in attend_registers.wgsl, and as many rescalings;
    // chains of totals, which are moved with every stretch and added; two roundings of each for every part; the division
    // and its product. No device can join stretches, each moved by what is known at its end.
    sum: 1 + stretch + fours + 2 * stretches + fours + 34 + fours + totals + 4 * (parts - 1) + 4,
    rescalings: fours + stretches + parts - 1,
    underflow: 2 ** -126,
    output: 0,
    // A device may round to either of the two halves beside a number. Numbers 2^28 below the largest of the heads that share a unit, whose
    // largest differ by 2^8 at most, need not be told from 0.
    stored: halved ? 2 ** -10 : 0,
    storedLeast: halved ? 2 ** -20 : 0,
  };
}
