import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  congruent,
  gramMatrix,
  rowProducts,
  transposed,
} from "../../../estimators/linear_algebra/row_products.ts";
import { normals } from "../../data.ts";

Deno.test("rows multiply with rows, as many as there are of each, and with each other symmetrically", () => {
  for (const [rows, others, width] of [[1, 1, 1], [3, 5, 4], [6, 4, 9], [9, 13, 1], [17, 2, 30]]) {
    const a = Float64Array.from(normals(rows, rows * width)),
      b = Float64Array.from(normals(7, others * width));
    const product = (x: Float64Array, i: number, y: Float64Array, j: number) =>
      Array.from({ length: width }, (_, t) => x[i * width + t] * y[j * width + t]).reduce(
        (sum, z) => sum + z,
        0,
      );
    rowProducts(a, b, width).forEach((x, at) =>
      assertAlmostEquals(x, product(a, Math.floor(at / others), b, at % others), 1e-12)
    );
    const gram = gramMatrix(a, width);
    gram.forEach((x, at) => assertAlmostEquals(x, product(a, Math.floor(at / rows), a, at % rows), 1e-12));
    assertEquals(transposed(gram, rows), gram);
    const upper = gram.map((x, at) => at % rows < Math.floor(at / rows) ? 0 : x + at);
    const turned = congruent(upper, gram, rows),
      whole = rowProducts(rowProducts(upper, gram, rows), upper, rows);
    turned.forEach((x, at) => assertAlmostEquals(x, whole[at], 1e-9 * (1 + Math.abs(x))));
    assertEquals(transposed(transposed(a, width), rows), a);
  }
});
