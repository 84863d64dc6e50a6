import { assert, assertAlmostEquals, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { BlockKrylov } from "../../../estimators/linear_algebra/block_krylov.ts";
import { gramImages, rowsOf } from "../../../estimators/linear_algebra/gram_images.ts";
import {
  randomStartBound,
  ratioBound,
  traceBound,
} from "../../../estimators/linear_algebra/krylov_bounds.ts";
import { symmetricEigenpairs } from "../../../estimators/linear_algebra/symmetric_eigenpairs.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";
import { clopperPearson } from "../../../proofs_checks/statistics/binomial.ts";
import { normals } from "../../data.ts";

const random = (seed: number, count: number) => Float64Array.from(normals(seed, count));

/** Eigenvalues that are known: a diagonal matrix turned by reflections. */
function turned(eigenvalues: readonly number[], seed: number): Float64Array {
  const order = eigenvalues.length, matrix = new Float64Array(order * order);
  eigenvalues.forEach((value, at) => matrix[at * order + at] = value);
  for (let round = 0; round < 3; round++) {
    const axis = random(seed + round, order), square = axis.reduce((sum, x) => sum + x * x, 0);
    for (const [step, other] of [[1, order], [order, 1]]) {
      for (let line = 0; line < order; line++) {
        let product = 0;
        for (let at = 0; at < order; at++) product += axis[at] * matrix[line * other + at * step];
        for (let at = 0; at < order; at++) {
          matrix[line * other + at * step] -= 2 * product / square * axis[at];
        }
      }
    }
  }
  return matrix;
}

Deno.test("symmetricEigenpairs() finds all pairs, multiple and zero values too", () => {
  for (
    const values of [
      [5],
      [3, -1],
      [4, 4, 4, 1, 0, 0, -2],
      Array.from({ length: 40 }, (_, i) => 1 / (i + 1)),
    ]
  ) {
    const order = values.length, matrix = turned(values, 7), before = matrix.slice();
    const found = symmetricEigenpairs(matrix, order);
    assertEquals(matrix, before);
    values.toSorted((a, b) => b - a).forEach((value, at) =>
      assertAlmostEquals(found.values[at], value, 1e-12)
    );
    for (let rank = 0; rank < order; rank++) {
      const vector = found.vectors.subarray(rank * order, (rank + 1) * order);
      assertAlmostEquals(vector.reduce((sum, x) => sum + x * x, 0), 1, 1e-12);
      for (let i = 0; i < order; i++) {
        let image = 0;
        for (let j = 0; j < order; j++) image += matrix[i * order + j] * vector[j];
        assertAlmostEquals(image, found.values[rank] * vector[i], 1e-11);
      }
    }
  }
});

/** Runs the iteration on AᵀA for so many steps, or until the space is closed. */
function iterate(
  matrix: Float64Array,
  rows: number,
  columns: number,
  starts: number,
  steps: number,
  seed = 1,
): BlockKrylov {
  const stream = new RandomStream(seed, Purpose.data);
  const start = Array.from(
    { length: starts },
    () => Float64Array.from({ length: columns }, () => stream.normal()),
  );
  const krylov = new BlockKrylov(start);
  while (krylov.block.length > 0 && krylov.steps < steps) {
    krylov.absorb(gramImages(rowsOf(matrix, rows, columns), krylov.block));
  }
  return krylov;
}

Deno.test("Ritz values lie below eigenvalues, residuals tell the distance, images are images, to the end of the space", () => {
  const rows = 50, columns = 30, matrix = random(3, rows * columns);
  const whole = iterate(matrix, rows, columns, 3, 100).values;
  assertEquals(whole.length, columns);
  for (const [starts, steps] of [[1, 4], [1, 12], [3, 3], [4, 6]]) {
    const krylov = iterate(matrix, rows, columns, starts, steps);
    const [image] = gramImages(rowsOf(matrix, rows, columns), [krylov.vector(0)]), told = krylov.image(0);
    image.forEach((x, at) => assertAlmostEquals(told[at], x, 1e-9));
    let residual = 0;
    image.forEach((x, at) => residual += (x - krylov.values[0] * krylov.vector(0)[at]) ** 2);
    assertAlmostEquals(Math.sqrt(residual), krylov.residual(0), 1e-9);
    krylov.values.forEach((value, rank) => {
      assertLessOrEqual(value, whole[rank] + 1e-9);
      const nearest = Math.min(...whole.map((own) => Math.abs(own - value)));
      assertLessOrEqual(nearest, krylov.residual(rank) + 1e-9);
    });
    assertAlmostEquals(krylov.trace, krylov.values.reduce((a, b) => a + b, 0), 1e-9);
  }
});

Deno.test("a matrix of low rank closes the space, and equal starts count once", () => {
  const column = random(1, 20), row = random(2, 15);
  const matrix = Float64Array.from({ length: 300 }, (_, at) => column[Math.floor(at / 15)] * row[at % 15]);
  const krylov = new BlockKrylov([row, row.map((x) => 2 * x)]);
  assertEquals(krylov.block.length, 1);
  krylov.absorb(gramImages(rowsOf(matrix, 20, 15), krylov.block));
  assertEquals(krylov.block.length, 0);
  const square = (vector: Float64Array) => vector.reduce((sum, x) => sum + x * x, 0);
  assertAlmostEquals(krylov.values[0] / (square(column) * square(row)), 1, 1e-12);
  assertEquals(krylov.residual(0), 0);
});

Deno.test("upper bounds: that of the trace always, that of the ratio for matrices without negative entries", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const matrix = random(seed, 40 * 25), trace = matrix.reduce((sum, x) => sum + x * x, 0);
    const [truth] = iterate(matrix, 40, 25, 5, 99).values;
    for (const steps of [1, 2, 5, 20]) {
      assertLessOrEqual(truth, traceBound(iterate(matrix, 40, 25, 2, steps, seed), trace) * (1 + 1e-9));
    }
    const sizes = matrix.map(Math.abs), [largest] = iterate(sizes, 40, 25, 5, 99).values;
    const vector = random(seed + 50, 25).map((x) => Math.abs(x) + 0.01);
    const [image] = gramImages(rowsOf(sizes, 40, 25), [vector]);
    assertLessOrEqual(largest, ratioBound(vector, image) * (1 + 1e-9));
  }
});

Deno.test("the bound of a random start fails as seldom as it says, and nearly as often where it is sharp", () => {
  // One large eigenvalue and all others at the end of the interval that the bound allows: few steps, so that starts matter.
  const runs = 400, length = 200, delta = 0.2;
  let failures = 0, halved = 0;
  for (let seed = 1; seed <= runs; seed++) {
    for (const [share, count] of [[delta, () => failures++], [1.5, () => halved++]] as const) {
      const stream = new RandomStream(seed, Purpose.data),
        krylov = new BlockKrylov([
          Float64Array.from({ length }, () => stream.normal()),
        ]);
      const values = Float64Array.from({ length }, (_, at) => at === 0 ? 1 : 0.5 * Math.cos(at) ** 2);
      for (let step = 0; step < 3; step++) {
        krylov.absorb(krylov.block.map((vector) => vector.map((x, at) => x * values[at])));
      }
      if (randomStartBound(krylov, length, 1, share) < 1) count();
    }
  }
  assertLessOrEqual(clopperPearson(failures, runs, 0.999).lower, delta);
  // With a chance that no probability can have it is no bound.
  assert(halved > failures);
});

Deno.test("more random vectors bring the bound down", () => {
  const values = Float64Array.from({ length: 100 }, (_, at) => 1 / (1 + at));
  const bound = (starts: number) => {
    const krylov = new BlockKrylov(Array.from({ length: starts }, (_, at) => random(at + 1, 100)));
    for (let step = 0; step < 6; step++) {
      krylov.absorb(krylov.block.map((vector) => vector.map((x, at) => x * values[at])));
    }
    return randomStartBound(krylov, 100, starts, 1e-9);
  };
  assertLess(bound(8), bound(2));
  assertLess(1 - 1e-9, bound(8));
});
