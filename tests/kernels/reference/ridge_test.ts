import { assertLess } from "@std/assert";
import { solveRidge } from "../../../kernels/reference/ridge.ts";
import { normals } from "../../data.ts";

/** Gram matrix of `count` observations of `features` features, and targets. */
function problem(count: number, features: number, columns: number) {
  const x = normals(1, count * features), targets = Float64Array.from(normals(2, count * columns));
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      for (let f = 0; f < features; f++) gram[i * count + j] += x[i * features + f] * x[j * features + f];
    }
  }
  return { gram, targets };
}

Deno.test("solveRidge() solves its system", () => {
  for (const [count, features, columns, ridge] of [[1, 3, 2, 0.5], [20, 30, 4, 0.1], [40, 5, 3, 1e-3]]) {
    const { gram, targets } = problem(count, features, columns);
    const { dual } = solveRidge(gram, count, ridge, targets, columns);
    for (let i = 0; i < count; i++) {
      for (let c = 0; c < columns; c++) {
        let sum = ridge * dual[i * columns + c] - targets[i * columns + c];
        for (let j = 0; j < count; j++) sum += gram[i * count + j] * dual[j * columns + c];
        assertLess(Math.abs(sum), 1e-9);
      }
    }
  }
});

Deno.test("solveRidge() gives the residuals of really leaving each observation out", () => {
  const count = 12, columns = 2, ridge = 0.3;
  const { gram, targets } = problem(count, 6, columns);
  const { leftOut } = solveRidge(gram, count, ridge, targets, columns);
  for (let out = 0; out < count; out++) {
    const rest = [...Array(count).keys()].filter((i) => i !== out);
    const smaller = Float64Array.from(rest.flatMap((i) => rest.map((j) => gram[i * count + j])));
    const restTargets = Float64Array.from(rest.flatMap((i) => [0, 1].map((c) => targets[i * columns + c])));
    const { dual } = solveRidge(smaller, count - 1, ridge, restTargets, columns);
    for (let c = 0; c < columns; c++) {
      const predicted = rest.reduce((sum, j, at) => sum + gram[out * count + j] * dual[at * columns + c], 0);
      assertLess(Math.abs(targets[out * columns + c] - predicted - leftOut[out * columns + c]), 1e-9);
    }
  }
});

Deno.test("solveRidge() stays finite on duplicated and zero observations", () => {
  const gram = new Float64Array(9).fill(1), targets = Float64Array.of(1, 2, 3);
  const { dual, leftOut } = solveRidge(gram, 3, 1e-12, targets, 1);
  assertLess(Math.max(...dual.map(Math.abs), ...leftOut.map(Math.abs)), 1e30);
  const zero = solveRidge(new Float64Array(9), 3, 0.5, targets, 1);
  assertLess(Math.abs(zero.dual[2] - 6), 1e-12);
});
