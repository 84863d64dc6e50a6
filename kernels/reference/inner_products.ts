import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues } from "./array.ts";
import { innerProduct } from "./attend.ts";

/** Inner products of rows with a few directions. */
export function* innerProducts(args: Arguments<"innerProducts">): Steps<DeviceArray> {
  const { heads, count, width, projections } = args;
  const products = new Float64Array(heads * count * projections);
  yield floats(products);
  const rows = floatValues(args.rows), directions = floatValues(args.directions);
  for (let at = 0; at < products.length; at++) {
    const row = Math.floor(at / projections), head = Math.floor(row / count);
    const direction = head * projections + at % projections;
    products[at] = innerProduct(rows, row * width, directions, direction * width, width);
    if (at % projections === 0) yield;
  }
}
