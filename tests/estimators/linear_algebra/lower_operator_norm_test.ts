import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { lowerOperatorNorm, squaredLength } from "../../../estimators/linear_algebra/lower_operator_norm.ts";
import { normals } from "../../data.ts";

Deno.test("lowerOperatorNorm() is a close lower bound that its direction attains", () => {
  for (const [rows, columns] of [[50, 8], [8, 50], [300, 20], [1, 5], [5, 1], [2500, 6]]) {
    const matrix = normals(rows, rows * columns).map((x) => x + 0.3);
    const { norm, direction } = lowerOperatorNorm(matrix, rows, columns);
    const exact = operatorNorm(matrix, rows, columns);
    assertLessOrEqual(norm, exact * (1 + 1e-12));
    assertLessOrEqual(0.95 * exact, norm);
    assertAlmostEquals(squaredLength(direction), 1, 1e-12);
    const image = Float64Array.from(
      { length: rows },
      (_, i) => direction.reduce((sum, x, c) => sum + x * matrix[i * columns + c], 0),
    );
    assertLessOrEqual(norm * (1 - 1e-9), Math.sqrt(squaredLength(image)));
  }
});

Deno.test("lowerOperatorNorm() sees rows that a sample of the rows misses", () => {
  const matrix = new Float32Array(4000 * 3).fill(0);
  matrix.set([3, 0, 4], 3 * 3);
  assertAlmostEquals(lowerOperatorNorm(matrix, 4000, 3).norm, 5, 1e-12);
});

Deno.test("lowerOperatorNorm() of a zero matrix is 0", () => {
  assertEquals(lowerOperatorNorm(new Float32Array(12), 3, 4).norm, 0);
});

Deno.test("the operator norm of a matrix with entries near underflow is a number", () => {
  const values = Float64Array.from(
    { length: 90 * 90 },
    (_, at) => at % 91 === 0 ? 1 : Math.exp(-300 - at % 400),
  );
  assertLessOrEqual(Math.abs(operatorNorm(values, 90, 90) - 1), 1e-12);
});
