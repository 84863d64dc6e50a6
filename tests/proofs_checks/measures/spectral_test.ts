import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { eigs } from "npm:mathjs@15";
import { largestEigenvalue } from "../../../estimators/linear_algebra/largest_eigenvalue.ts";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { relativeOutputError } from "../../../proofs_checks/measures/spectral.ts";
import { tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../data.ts";

/** A few units of rounding, relative to the expected value. */
const assertClose = (actual: number, expected: number, message = "") =>
  assertAlmostEquals(actual, expected, 1e-13 * Math.abs(expected), message);

Deno.test("operatorNorm() of a diagonal matrix is its largest entry", () => {
  assertEquals(operatorNorm([3, 0, 0, 0, -7, 0, 0, 0, 5], 3, 3), 7);
  assertEquals(operatorNorm([-2], 1, 1), 2);
});

Deno.test("operatorNorm() of a zero matrix is 0", () => {
  assertEquals(operatorNorm(new Float64Array(12), 4, 3), 0);
});

Deno.test("operatorNorm() of a rank-one matrix is the product of the lengths", () => {
  const u = normals(1, 500), v = normals(2, 30);
  const length = (x: Float32Array) => Math.hypot(...x);
  const values = Float64Array.from({ length: 500 * 30 }, (_, i) => u[Math.floor(i / 30)] * v[i % 30]);
  assertClose(operatorNorm(values, 500, 30), length(u) * length(v));
  assertClose(operatorNorm(values, 30, 500), operatorNorm(transpose(values, 30, 500), 500, 30));
});

Deno.test("operatorNorm() of a matrix with orthonormal columns is 1, all singular values being equal", () => {
  const n = 64;
  // Orthonormal cosines: the discrete cosine transform of type II.
  const values = Float64Array.from({ length: n * n }, (_, i) => {
    const row = Math.floor(i / n), column = i % n;
    return Math.sqrt((column === 0 ? 1 : 2) / n) * Math.cos(Math.PI * (row + 0.5) * column / n);
  });
  assertClose(operatorNorm(values, n, n), 1);
});

Deno.test("operatorNorm() neither overflows nor vanishes", () => {
  for (const scale of [1e-300, 1e-30, 1e30, 1e300]) {
    assertClose(operatorNorm([3 * scale, 0, 4 * scale, 0], 2, 2), 5 * scale);
  }
});

Deno.test("operatorNorm() tells two nearly equal singular values apart", () => {
  const gap = 1e-9, cosine = Math.cos(1), sine = Math.sin(1);
  const rotated = [cosine * (1 + gap), -sine, sine * (1 + gap), cosine];
  assertClose(operatorNorm(rotated, 2, 2), 1 + gap);
});

Deno.test("operatorNorm() agrees with the eigenvalues of mathjs", () => {
  for (const [rows, columns] of [[1, 1], [2, 2], [5, 3], [3, 5], [12, 12], [40, 9], [9, 40], [100, 16]]) {
    for (const seed of [1, 2, 3]) {
      const values = normals(seed, rows * columns);
      const order = Math.min(rows, columns), length = Math.max(rows, columns);
      const at = (i: number, t: number) =>
        columns <= rows ? values[t * columns + i] : values[i * columns + t];
      const gram = Array.from({ length: order }, (_, a) =>
        Array.from({ length: order }, (_, b) => {
          let sum = 0;
          for (let t = 0; t < length; t++) sum += at(a, t) * at(b, t);
          return sum;
        }));
      const oracle = Math.sqrt(Math.max(...[...eigs(gram, { eigenvectors: false }).values as number[]]));
      assertAlmostEquals(
        operatorNorm(values, rows, columns),
        oracle,
        1e-11 * oracle,
        `${rows} × ${columns}, seed ${seed}`,
      );
    }
  }
});

Deno.test("operatorNorm() refuses the wrong number of values and values that are not finite", () => {
  assertThrows(
    () => operatorNorm([1, 2, 3], 2, 2),
    TypeError,
    "2 × 2 values are needed: current value is 3",
  );
  for (const bad of [NaN, Infinity]) {
    assertThrows(() => operatorNorm([1, 2, 3, bad], 2, 2), RangeError, `[1, 1] must be finite`);
  }
});

Deno.test("largestEigenvalue() is right for indefinite, negative and already tridiagonal matrices", () => {
  assertClose(largestEigenvalue(new Float64Array([0, 1, 1, 0]), 2), 1);
  assertClose(largestEigenvalue(new Float64Array([-3, 0, 0, -2]), 2), -2);
  // Second difference matrix: eigenvalues 2 − 2·cos(kπ/(n+1)).
  const n = 50, matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = 2;
    if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
  }
  assertClose(largestEigenvalue(matrix, n), 2 - 2 * Math.cos(n * Math.PI / (n + 1)));
});

Deno.test("relativeOutputError() gives one value for each head", () => {
  const exact = tensor([3, 0, 0, 4, 1, 0, 0, 1], [2, 2, 2]);
  const approximate = tensor([3, 0, 0, 2, 1, 0.5, 0, 1], [2, 2, 2]);
  assertEquals(relativeOutputError(approximate, exact), [0.5, 0.5]);
  assertEquals(relativeOutputError(exact, exact), [0, 0]);
});

Deno.test("relativeOutputError() against a zero output is 0 or Infinity", () => {
  const zero = tensor([0, 0], [1, 2]);
  assertEquals(relativeOutputError(zero, zero), [0]);
  assertEquals(relativeOutputError(tensor([0, 1], [1, 2]), zero), [Infinity]);
});

Deno.test("relativeOutputError() refuses different shapes and vectors", () => {
  const matrix = tensor([1, 2], [1, 2]);
  assertThrows(
    () => relativeOutputError(tensor([1, 2], [2, 1]), matrix),
    TypeError,
    "approximate has shape [2, 1] but exact has [1, 2]",
  );
  assertThrows(
    () => relativeOutputError(tensor([1], [1]), tensor([1], [1])),
    TypeError,
    "must have at least 2 dimensions: current value is 1",
  );
});

function transpose(values: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(
    { length: values.length },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)],
  );
}
