import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
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

Deno.test("operatorError() of all rows is the ratio of operator norms", () => {
  for (const [rows, width] of [[200, 7], [9, 12], [1, 3]]) {
    const all = population(rows, width), { error, low, high } = operatorError(all);
    assertAlmostEquals(error, ratio(all), 2e-3 * error);
    assert(low <= error && error <= high);
  }
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
