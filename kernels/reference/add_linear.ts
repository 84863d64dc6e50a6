import type { DeviceArray } from "../backend.ts";
import type { Arguments } from "../primitives.ts";
import type { Steps } from "./steps.ts";
import { floats, floatValues } from "./array.ts";

export function times(row: Float64Array, matrix: Float64Array, width: number): Float64Array {
  const product = new Float64Array(width);
  row.forEach((x, a) => {
    for (let c = 0; c < width; c++) product[c] += x * matrix[a * width + c];
  });
  return product;
}

/** rows + offset + query · slope. */
export function* addLinear(args: Arguments<"addLinear">): Steps<DeviceArray> {
  const { heads, count, features, valueFeatures: width } = args;
  const result = new Float64Array(heads * count * width);
  yield floats(result);
  const rows = floatValues(args.rows), query = floatValues(args.query);
  const slope = floatValues(args.slope), offset = floatValues(args.offset);
  for (let row = 0; row < heads * count; row++) {
    const head = Math.floor(row / count), own = query.subarray(row * features, (row + 1) * features);
    const from = (args.sameRow ? head : row) * width;
    times(own, slope.subarray(head * features * width, (head + 1) * features * width), width)
      .forEach((x, c) => result[row * width + c] = rows[from + c] + offset[head * width + c] + x);
    yield;
  }
}
