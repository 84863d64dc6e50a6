import type { DeviceArray } from "../backend.ts";
import { LEAST_COLUMN, RIDGE, USELESS } from "../coreset_primitives.ts";
import type { Arguments } from "../primitives.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import { solveRidge } from "./ridge.ts";
import type { Steps } from "./steps.ts";

/** Values of points after ridge regression of what they leave of the exact outputs of the probes. */
export function* calibrateValues(args: Arguments<"calibrateValues">): Steps<DeviceArray> {
  const { heads, probes, most, valueFeatures: width } = args;
  const values = new Float64Array(heads * most * width);
  yield floats(values);
  for (let head = 0; head < heads; head++) {
    const own = (array: DeviceArray, rows: number) =>
      floatValues(array).subarray(head * rows * width, (head + 1) * rows * width);
    const size = wordValues(args.clusters)[head], mean = own(args.mean, 1);
    const centred = (rows: Float64Array) => rows.map((x, at) => x - mean[at % width]);
    const plain = centred(own(args.value, most).subarray(0, size * width));
    const exact = centred(own(args.output, probes));
    const logits = floatValues(args.logits).subarray(head * probes * most, (head + 1) * probes * most);
    const rows = Array.from(
      { length: probes },
      (_, i) => softmax(logits.subarray(i * most, i * most + size)),
    );
    yield;
    const fitted = yield* corrected(args, rows, plain, exact, mean);
    const predicted = attendRows(rows.slice(args.fitted), fitted, width);
    const factor = shrinkage(predicted, exact.subarray(args.fitted * width), width);
    fitted.forEach((z, at) => values[head * most * width + at] = factor * z + mean[at % width]);
    yield;
  }
}

function softmax(logits: Float64Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b)), row = logits.map((x) => Math.exp(x - largest));
  const total = row.reduce((a, b) => a + b, 0);
  return row.map((x) => x / total);
}

/** Softmax rows times values [points, width], row by row. */
function attendRows(rows: readonly Float64Array[], values: Float64Array, width: number): Float64Array {
  const outputs = new Float64Array(rows.length * width);
  rows.forEach((row, i) =>
    row.forEach((p, s) => {
      for (let c = 0; c < width; c++) outputs[i * width + c] += p * values[s * width + c];
    })
  );
  return outputs;
}

/** The centred values with their correction, or without where leaving out one probe at a time speaks against it. */
function* corrected(
  { fitted, even, otherWeight, valueFeatures: width, largestValue }: Arguments<"calibrateValues">,
  rows: readonly Float64Array[],
  plain: Float64Array,
  exact: Float64Array,
  mean: Float64Array,
): Generator<undefined, Float64Array, void> {
  const root = (i: number) => i < even ? 1 : Math.sqrt(otherWeight);
  const predicted = attendRows(rows.slice(0, fitted), plain, width);
  const residual = predicted.map((x, at) => root(Math.floor(at / width)) * (exact[at] - x));
  const weighted = rows.slice(0, fitted).map((row, i) => row.map((p) => root(i) * p));
  const size = weighted.reduce(
    (sum, row) => sum.map((x, s) => x + row[s] ** 2 / fitted),
    new Float64Array(rows[0].length),
  ).map(Math.sqrt);
  const least = LEAST_COLUMN * size.reduce((a, b) => Math.max(a, b));
  const scale = size.map((x) => Math.sqrt(Math.max(x, least)));
  const design = weighted.map((row) => row.map((x, s) => x / scale[s]));
  const gram = new Float64Array(fitted ** 2);
  for (let at = 0; at < gram.length; at++) {
    const other = design[at % fitted];
    gram[at] = design[Math.floor(at / fitted)].reduce((sum, x, s) => sum + x * other[s], 0);
    yield;
  }
  const trace = design.reduce((sum, _, i) => sum + gram[i * fitted + i], 0);
  const { dual, leftOut } = solveRidge(gram, fitted, RIDGE * trace / fitted, residual, width);
  const squares = (values: Float64Array) => values.reduce((sum, x) => sum + x * x, 0);
  if (!(squares(leftOut) < squares(residual))) return plain;
  const values = new Float64Array(plain.length);
  for (let at = 0; at < plain.length; at++) {
    const s = Math.floor(at / width), c = at % width;
    const correction = design.reduce((sum, row, i) => sum + row[s] * dual[i * width + c], 0) / scale[s];
    values[at] = Math.min(largestValue - mean[c], Math.max(-largestValue - mean[c], plain[at] + correction));
    yield;
  }
  return values;
}

/** The factor in [0, 1] for predictions of centred outputs of probes that had no part in the fit. */
function shrinkage(predicted: Float64Array, exact: Float64Array, width: number): number {
  const probes = exact.length / width, cross = new Float64Array(probes), square = new Float64Array(probes);
  let wrong = 0, target = 0;
  predicted.forEach((x, at) => {
    const row = Math.floor(at / width);
    cross[row] += x * exact[at];
    square[row] += x * x;
    wrong += (x - exact[at]) ** 2;
    target += exact[at] ** 2;
  });
  if (!(wrong > USELESS ** 2 * target)) return 1;
  const allCross = cross.reduce((a, b) => a + b, 0), allSquare = square.reduce((a, b) => a + b, 0);
  let factor = 1;
  for (let row = 0; row < probes; row++) {
    const others = allSquare - square[row];
    factor = Math.min(factor, others > 0 ? (allCross - cross[row]) / others : 0);
  }
  return Math.max(0, factor);
}
