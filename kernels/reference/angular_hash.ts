import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floatValues, words } from "./array.ts";
import type { Steps } from "./steps.ts";

/** Rank of a binary-reflected Gray code: the number whose Gray code `code` is. */
export function grayRank(code: number): number {
  for (let shift = 1; shift < 32; shift *= 2) code ^= code >>> shift;
  return code >>> 0;
}

/** Gray rank of the sign bits of each row against random hyperplanes. */
export function* angularHash(args: Arguments<"angularHash">): Steps<DeviceArray> {
  const { heads, count, width, projections } = args, ranks = new Uint32Array(heads * count);
  yield words(ranks);
  const rows = floatValues(args.rows), hyperplanes = floatValues(args.hyperplanes);
  const shift = args.shift && floatValues(args.shift);
  for (let row = 0; row < heads * count; row++) {
    const head = Math.floor(row / count);
    let code = 0;
    for (let bit = 0; bit < projections; bit++) {
      let projected = 0;
      for (let t = 0; t < width; t++) {
        projected += hyperplanes[(head * projections + bit) * width + t] *
          (rows[row * width + t] - (shift ? shift[head * width + t] : 0));
      }
      if (projected > 0) code |= 1 << bit;
    }
    ranks[row] = grayRank(code);
    yield;
  }
}
