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

/** Rows side by side with others times the factor of their head. */
export function joinRows(args: Parameters<Backend["joinRows"]>[0]): DeviceArray {
  const { heads, count, width, otherWidth } = args, joinedWidth = width + otherWidth;
  const rows = floatValues(args.rows), others = floatValues(args.others), factors = floatValues(args.factors);
  const joined = new Float64Array(heads * count * joinedWidth);
  for (let row = 0; row < heads * count; row++) {
    const factor = factors[Math.floor(row / count)], from = row * otherWidth;
    joined.set(rows.subarray(row * width, (row + 1) * width), row * joinedWidth);
    joined.set(others.subarray(from, from + otherWidth).map((x) => factor * x), row * joinedWidth + width);
  }
  return floats(joined);
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
