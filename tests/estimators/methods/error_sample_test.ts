import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { type ErrorSample, operatorError } from "../../../estimators/methods/error_sample.ts";
import { normals } from "../../data.ts";

/** Errors along one direction on top of noise, and outputs about a mean. */
function population(rows: number, width: number): ErrorSample {
  const noise = normals(3, rows * width, 0.02), along = normals(4, rows), outputs = normals(5, rows * width);
  return {
    width,
    errors: Float64Array.from(
      noise,
      (x, at) => x + (at % width === 2 ? 0.1 * along[Math.floor(at / width)] : 0),
    ),
    outputs: Float64Array.from(outputs, (x, at) => x + (at % width === 0 ? 2 : 0)),
  };
}

function ratio({ width, errors, outputs }: ErrorSample): number {
  const rows = errors.length / width;
  return operatorNorm(errors, rows, width) / operatorNorm(outputs, rows, width);
}

/** Some rows, each standing for `weight`. */
function some(
  { width, errors, outputs }: ErrorSample,
  first: number,
  rows: number,
  weight: number,
): ErrorSample {
  const own = (data: Float64Array) =>
    data.slice(first * width, (first + rows) * width).map((x) => Math.sqrt(weight) * x);
  return { width, errors: own(errors), outputs: own(outputs) };
}

Deno.test("operatorError() of more and more rows comes to be the ratio of operator norms, and is that of a single one", () => {
  for (const [rows, width, share] of [[200, 7, 0.05], [4000, 7, 3e-3], [1, 3, 1e-12]]) {
    const all = population(rows, width), { error, low, high } = operatorError(all);
    assertAlmostEquals(error, ratio(all), share * error);
    assert(low <= error && error <= high);
  }
});

Deno.test("operatorError() is not led astray where one row in a hundred has half of the squared error", () => {
  const rows = 20000, width = 16, each = 200;
  const far = normals(6, rows), kind = normals(7, rows * width), outputs = normals(8, rows * width);
  const errors = Float64Array.from(kind, (x, at) => Math.floor(at / width) % 101 === 5 ? 10 * x : x);
  for (let at = 0; at < errors.length; at += width) errors[at] += 2 * far[at / width];
  const all = { width, errors, outputs: Float64Array.from(outputs) }, truth = ratio(all);
  const found: number[] = [], fitted: number[] = [];
  for (let first = 0; first < rows; first += each) {
    const sample = some(all, first, each, rows / each);
    found.push(operatorError(sample).error / truth);
    fitted.push(ratio(sample) / truth);
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length / 2];
  // The eigenvalue of a sample alone is that of its largest rows.
  assertGreater(median(fitted), 1.1);
  assertLess(Math.abs(Math.log(median(found))), Math.log(median(fitted)));
});

Deno.test("operatorError() of samples is right in the mean, and its interval has the truth nine times in ten or more", () => {
  const rows = 6000, each = 60, all = population(rows, 10), truth = ratio(all);
  let covered = 0, sum = 0;
  for (let first = 0; first < rows; first += each) {
    const { error, low, high } = operatorError(some(all, first, each, rows / each));
    covered += Number(low <= truth && truth <= high);
    sum += error / truth;
  }
  const runs = rows / each;
  // Of 100 runs at 95 per cent, 90 or more come with probability 0.99.
  assertGreater(covered, 89);
  assertAlmostEquals(sum / runs, 1, 0.05);
});

Deno.test("operatorError() knows none and all error, and does not see the scale", () => {
  const all = population(50, 4), none = { ...all, errors: new Float64Array(200) };
  assertEquals(operatorError(none), { error: 0, low: 0, high: 0 });
  assertEquals(operatorError({ ...all, outputs: new Float64Array(200) }).error, Infinity);
  const tiny = (data: Float64Array) => data.map((x) => x * 1e-38);
  const scaled = operatorError({ ...all, errors: tiny(all.errors), outputs: tiny(all.outputs) });
  assertAlmostEquals(scaled.error, operatorError(all).error, 1e-3 * scaled.error);
});
