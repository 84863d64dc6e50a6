import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues } from "./array.ts";
import { innerProduct } from "./attend.ts";

/** Inner products of rows with a few directions. */
export function innerProducts(args: Arguments<"innerProducts">): DeviceArray {
  const { heads, count, width, projections } = args;
  const rows = floatValues(args.rows), directions = floatValues(args.directions);
  return floats(
    Float64Array.from({ length: heads * count * projections }, (_, at) => {
      const row = Math.floor(at / projections), head = Math.floor(row / count);
      const direction = head * projections + at % projections;
      return innerProduct(rows, row * width, directions, direction * width, width);
    }),
  );
}
