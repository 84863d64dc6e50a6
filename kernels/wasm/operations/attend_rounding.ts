import type { AttendRounding, RoundingShape } from "../../rounding.ts";
import { CHAIN_FEATURES, PANEL, STRETCH_TILES, TILE_KEYS } from "../engine/layout.ts";

/** WebAssembly rounds to the nearest f32; the order of the sums is that of `assembly/attend.ts`. */
export function attendRounding({ features, keys }: RoundingShape): AttendRounding {
  const unit = 2 ** -24, tiles = Math.ceil(keys / TILE_KEYS), chains = Math.ceil(features / CHAIN_FEATURES);
  const inTile = Math.min(TILE_KEYS, PANEL * Math.ceil(keys / PANEL));
  const inStretch = Math.min(tiles, STRETCH_TILES), stretches = Math.ceil(tiles / STRETCH_TILES);
  return {
    unit,
    // Two units in the last place: assembly/exponential.ts.
    exponential: 4 * unit,
    exponentialPerUnit: 0,
    // A product and a chain of sums, the scale rounded and multiplied by, and a sum for every further chain.
    product: Math.min(features, CHAIN_FEATURES) + 3 + chains - 1,
    // A product, a chain in the tile and two roundings for every tile of a stretch; eight chains of weights, joined by
    // three sums; the total rounded to f32, and the quotient. One more covers the sums in f64.
    sum: 1 + inTile + 2 * inStretch + inTile / PANEL + 3 + 2 + 1,
    rescalings: inStretch - 1 + stretches - 1,
    underflow: 2 ** -149,
    output: 0,
    stored: 0,
    storedLeast: 0,
  };
}
