import { assertAlmostEquals, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { rowsOf } from "../../../estimators/linear_algebra/gram_images.ts";
import { operatorNorm } from "../../../estimators/linear_algebra/operator_norm.ts";
import { families } from "../../../proofs_checks/inputs/families.ts";
import { normBounds } from "../../../proofs_checks/measures/norm_bounds.ts";
import { Oracle } from "../../../proofs_checks/measures/oracle.ts";
import { SoftmaxRows } from "../../../proofs_checks/measures/softmax_rows.ts";
import { normals } from "../../data.ts";

/** What the dense decomposition, to about 14 digits, and this may differ by. */
const ROUNDING = 1e-9;

for (const { name, generate } of families) {
  Deno.test(`bounds enclose the norm of P, and of an error of either sign, on ${name}`, () => {
    const oracle = new Oracle(generate({ n: 72, seed: 6, valueFeatures: 1 })), { softmax } = oracle;
    const { queries, keys } = oracle.problem, norm = operatorNorm(softmax, queries, keys);
    const { lower, upper } = oracle.softmaxNormBounds;
    assertLessOrEqual(lower, norm * (1 + ROUNDING));
    assertLessOrEqual(norm, upper * (1 + ROUNDING));
    assertLessOrEqual(upper, lower * (1.001 + ROUNDING));
    assertLess(Math.abs(oracle.softmaxNorm / norm - 1), 1e-5);
    const error = softmax.map((x, at) => at % 3 === 0 ? 0 : x * Math.cos(at));
    const truth = operatorNorm(error, queries, keys), found = normBounds(rowsOf(error, queries, keys));
    assertLessOrEqual(found.lower, truth * (1 + ROUNDING));
    assertLessOrEqual(truth, found.upper * (1 + ROUNDING));
    assertLessOrEqual(found.upper, found.lower * (1.05 + ROUNDING));
  });
}

Deno.test("bounds of matrices that the iteration cannot go far in", () => {
  const norms: [number[], number, number, number][] = [
    [[0, 0, 0, 0], 2, 2, 0],
    [[-3], 1, 1, 3],
    [[3, 4], 1, 2, 5],
    [[3, 4], 2, 1, 5],
    [[1, 0, 0, 1], 2, 2, 1],
  ];
  for (const [values, rows, columns, norm] of norms) {
    const { lower, upper } = normBounds(rowsOf(Float64Array.from(values), rows, columns));
    assertAlmostEquals(lower, norm, 1e-12);
    assertAlmostEquals(upper, norm, 1e-12);
  }
});

Deno.test("rows that are computed when asked for, four vectors at a time, give the bounds of the matrix that is held", () => {
  for (const name of ["gaussian", "clustered", "shape-odd-features"]) {
    const input = families.find((own) => own.name === name)!.generate({ n: 90, seed: 8, valueFeatures: 2 });
    const { query, key, scale } = input,
      oracle = new Oracle(input),
      { queries, keys, features } = oracle.problem;
    const rows = new SoftmaxRows({ query: query.data, key: key.data, features, scale });
    assertEquals([rows.rows, rows.columns], [queries, keys]);
    for (let i = 0; i < queries; i++) {
      assertEquals(rows.row(i), oracle.softmax.slice(i * keys, (i + 1) * keys));
      assertEquals(rows.logSum, oracle.logRowSums[i]);
      let total = 0, first = 0;
      // By the formula itself.
      for (let j = 0; j < keys; j++) {
        let logit = 0;
        for (let t = 0; t < features; t++) logit += query.data[i * features + t] * key.data[j * features + t];
        total += Math.exp(scale * logit);
        if (j === 0) first = Math.exp(scale * logit);
      }
      assertAlmostEquals(rows.row(i)[0] / (first / total), 1, 1e-12);
      assertAlmostEquals(rows.logSum, Math.log(total), 1e-12);
    }
    const { lower, upper } = normBounds(rows, { nonNegative: true, together: 4 }), norm = oracle.softmaxNorm;
    assertLess(Math.abs(lower / norm - 1), 1e-6, name);
    assertLessOrEqual(norm, upper * (1 + ROUNDING));
    assertLessOrEqual(upper, lower * (1.001 + ROUNDING));
  }
});

Deno.test("the error of an approximate softmax matrix is enclosed row by row", () => {
  const rows = 150, columns = 130, error = Float64Array.from(normals(4, rows * columns), (x) => x / 100);
  const row = (i: number) => error.subarray(i * columns, (i + 1) * columns);
  const { lower, upper } = normBounds({ rows, columns, row }, { tolerance: 0.02 }),
    truth = operatorNorm(error, rows, columns);
  assertLessOrEqual(lower, truth * (1 + ROUNDING));
  assertLessOrEqual(truth, upper * (1 + ROUNDING));
  assertLessOrEqual(upper, lower * (1.02 + ROUNDING));
});
