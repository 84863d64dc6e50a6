import { type Backend, type DeviceArray, FAR, NO_ROW } from "../backend.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import { innerProduct } from "./attend.ts";
import type { Steps } from "./steps.ts";

/** Inner products of rows with a few directions. */
export function* innerProducts(args: Parameters<Backend["innerProducts"]>[0]): Steps<DeviceArray> {
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

/** Squared distances of queries to rows of their own choice. */
export function* gatheredDistances(args: Parameters<Backend["gatheredDistances"]>[0]): Steps<DeviceArray> {
  const { heads, count, queries, width, picks } = args;
  const distances = new Float64Array(heads * queries * picks);
  yield floats(distances);
  const rows = floatValues(args.rows), query = floatValues(args.query), index = wordValues(args.index);
  for (let at = 0; at < distances.length; at++) {
    if (at % picks === 0) yield;
    if (index[at] === NO_ROW) {
      distances[at] = FAR;
      continue;
    }
    const queryRow = Math.floor(at / picks), head = Math.floor(queryRow / queries);
    const row = head * count + index[at];
    for (let t = 0; t < width; t++) {
      distances[at] += (query[queryRow * width + t] - rows[row * width + t]) ** 2;
    }
  }
}
