import type { Backend, DeviceArray } from "../backend.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import type { Steps } from "./steps.ts";

/** Mean of the rows of each head, as first row + mean difference from it. */
export function* columnMean(args: Parameters<Backend["columnMean"]>[0]): Steps<DeviceArray> {
  const { heads, count, width } = args;
  const mean = new Float64Array(heads * width);
  yield floats(mean);
  const rows = floatValues(args.rows);
  for (let head = 0; head < heads; head++) {
    for (let c = 0; c < width; c++) {
      const first = rows[head * count * width + c];
      let difference = 0;
      for (let i = 0; i < count; i++) difference += rows[(head * count + i) * width + c] - first;
      mean[head * width + c] = first + difference / count;
      yield;
    }
  }
}

/** Rows minus the centre of their head. */
export function* centreRows(args: Parameters<Backend["centreRows"]>[0]): Steps<DeviceArray> {
  const { heads, count, width } = args;
  const centred = new Float64Array(heads * count * width);
  yield floats(centred);
  const rows = floatValues(args.rows), centre = floatValues(args.centre);
  for (let at = 0; at < centred.length; at++) {
    centred[at] = rows[at] - centre[Math.floor(at / (count * width)) * width + at % width];
    if (at % width === 0) yield;
  }
}

/** Copies the picked rows of each head. */
export function* gatherRows(args: Parameters<Backend["gatherRows"]>[0]): Steps<DeviceArray> {
  const { heads, count, width, picks } = args;
  const gathered = new Float64Array(heads * picks * width);
  yield floats(gathered);
  const rows = floatValues(args.rows), index = wordValues(args.index);
  for (let at = 0; at < heads * picks; at++) {
    const from = (Math.floor(at / picks) * count + index[at]) * width;
    gathered.set(rows.subarray(from, from + width), at * width);
    yield;
  }
}

/** Signed sums of every so many-th column. */
export function* sketchRows(args: Parameters<Backend["sketchRows"]>[0]): Steps<DeviceArray> {
  const { heads, count, width, folded } = args;
  const sketched = new Float64Array(heads * count * folded);
  yield floats(sketched);
  const rows = floatValues(args.rows), signs = floatValues(args.signs);
  for (let row = 0; row < heads * count; row++) {
    for (let c = 0; c < width; c++) sketched[row * folded + c % folded] += signs[c] * rows[row * width + c];
    yield;
  }
}
