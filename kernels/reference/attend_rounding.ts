import type { AttendRounding, RoundingShape } from "../rounding.ts";

/** The reference computes in float64, in one pass for the largest logit and one for the sums, and hands out f32. */
export function attendRounding({ features, keys }: RoundingShape): AttendRounding {
  const unit = 2 ** -53;
  return {
    unit,
    // Math.exp is within a unit in the last place in every engine; four halves of one leave room.
    exponential: 4 * unit,
    exponentialPerUnit: 0,
    product: features + 2,
    sum: 2 * keys + 2,
    rescalings: 0,
    underflow: 2 ** -149,
    output: 2 ** -24,
    stored: 0,
    storedLeast: 0,
  };
}
