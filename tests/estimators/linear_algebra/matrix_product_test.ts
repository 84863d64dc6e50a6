import { assertLessOrEqual } from "@std/assert";
import {
  gramMatrix,
  multiply,
  multiplyFirstTransposed,
  multiplyTransposed,
} from "../../../estimators/linear_algebra/matrix_product.ts";
import { normals } from "../../data.ts";
import { largestDifference } from "../../precision.ts";

/** A [rows, inner] · B [inner, columns], entry by entry. */
function product(
  a: Float64Array,
  rows: number,
  b: Float64Array,
  inner: number,
  columns: number,
): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += a[Math.floor(at / columns) * inner + k] * b[k * columns + at % columns];
    }
    return sum;
  });
}

Deno.test("matrix products are those of the definition, whatever is left over from blocks", () => {
  for (const [rows, inner, columns] of [[1, 1, 1], [2, 3, 5], [7, 4, 2], [37, 18, 35], [33, 1, 16]]) {
    const a = Float64Array.from(normals(1, rows * inner)), b = Float64Array.from(normals(2, inner * columns));
    const expected = product(a, rows, b, inner, columns), unit = 2 ** -52 * 20 * inner;
    assertLessOrEqual(largestDifference(multiply(a, rows, b, inner, columns), expected), unit);
    const transposed = transpose(b, inner, columns);
    const other = multiplyTransposed(a, rows, transposed, columns, inner);
    assertLessOrEqual(largestDifference(other, expected), unit);
    const again = multiplyFirstTransposed(transpose(a, rows, inner), rows, b, inner, columns);
    assertLessOrEqual(largestDifference(again, expected), unit);
    const square = product(a, rows, transpose(a, rows, inner), inner, rows);
    assertLessOrEqual(largestDifference(gramMatrix(a, rows, inner), square), unit);
  }
});

function transpose(a: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from({ length: a.length }, (_, at) => a[(at % rows) * columns + Math.floor(at / rows)]);
}
