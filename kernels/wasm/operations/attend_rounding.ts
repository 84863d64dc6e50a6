import type { AttendRounding, RoundingShape } from "../../rounding.ts";
import { PANEL, TILE_KEYS } from "../engine/layout.ts";

/** WebAssembly rounds to the nearest f32; the order of the sums is that of `assembly/attend.ts`. */
export function attendRounding({ features, keys }: RoundingShape): AttendRounding {
  const unit = 2 ** -24, tiles = Math.ceil(keys / TILE_KEYS);
  const inTile = Math.min(TILE_KEYS, PANEL * Math.ceil(keys / PANEL));
  return {
    unit,
    // Two units in the last place: assembly/exponential.ts.
    exponential: 4 * unit,
    exponentialPerUnit: 0,
    // A product, a chain of sums, the scale rounded and multiplied by.
    product: features + 3,
    // A product, a chain in the tile and two roundings for every tile; eight chains of weights, joined by three sums, and
    // two for every tile; the inverse and its product.
    sum: 1 + inTile + 2 * tiles + inTile / PANEL + 3 + 2 * tiles + 2,
    rescalings: tiles - 1,
    merges: 0,
    underflow: 2 ** -149,
    output: 0,
  };
}
