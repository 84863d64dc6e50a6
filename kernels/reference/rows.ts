import type { Backend, DeviceArray } from "../backend.ts";
import { floats, floatValues, wordValues } from "./array.ts";

/** Mean of the rows of each head, as first row + mean difference from it. */
export function columnMean(args: Parameters<Backend["columnMean"]>[0]): DeviceArray {
  const { heads, count, width } = args;
  const rows = floatValues(args.rows);
  const mean = new Float64Array(heads * width);
  for (let head = 0; head < heads; head++) {
    for (let c = 0; c < width; c++) {
      const first = rows[head * count * width + c];
      let difference = 0;
      for (let i = 0; i < count; i++) difference += rows[(head * count + i) * width + c] - first;
      mean[head * width + c] = first + difference / count;
    }
  }
  return floats(mean);
}

/** Rows minus the centre of their head. */
export function centreRows(args: Parameters<Backend["centreRows"]>[0]): DeviceArray {
  const { heads, count, width } = args;
  const rows = floatValues(args.rows), centre = floatValues(args.centre);
  return floats(
    Float64Array.from(
      { length: heads * count * width },
      (_, at) => rows[at] - centre[Math.floor(at / (count * width)) * width + at % width],
    ),
  );
}

/** Copies the picked rows of each head. */
export function gatherRows(args: Parameters<Backend["gatherRows"]>[0]): DeviceArray {
  const { heads, count, width, picks } = args;
  const rows = floatValues(args.rows), index = wordValues(args.index);
  const gathered = new Float64Array(heads * picks * width);
  for (let at = 0; at < heads * picks; at++) {
    const from = (Math.floor(at / picks) * count + index[at]) * width;
    gathered.set(rows.subarray(from, from + width), at * width);
  }
  return floats(gathered);
}

/** Signed sums of every so many-th column. */
export function sketchRows(args: Parameters<Backend["sketchRows"]>[0]): DeviceArray {
  const { heads, count, width, folded } = args;
  const rows = floatValues(args.rows), signs = floatValues(args.signs);
  const sketched = new Float64Array(heads * count * folded);
  for (let row = 0; row < heads * count; row++) {
    for (let c = 0; c < width; c++) sketched[row * folded + c % folded] += signs[c] * rows[row * width + c];
  }
  return floats(sketched);
}
