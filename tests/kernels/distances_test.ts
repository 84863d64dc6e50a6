import { assertEquals, assertGreater } from "@std/assert";
import { FAR, NO_ROW } from "../../kernels/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";
import { assertPrecise } from "../precision.ts";

const f = Math.fround;

/** Shapes with and without whole vectors, tiles and chunks. */
const shapes = [[1, 1, 1, 1], [2, 100, 15, 7], [3, 97, 64, 16], [1, 1000, 100, 130], [2, 193, 4, 257]];

/** Inner products, every operation rounded to f32. */
function plainProducts(rows: Float32Array, directions: Float32Array, shape: number[]): Float32Array {
  const [, count, width, projections] = shape;
  return Float32Array.from({ length: rows.length / width * projections }, (_, at) => {
    const row = Math.floor(at / projections),
      direction = Math.floor(row / count) * projections + at % projections;
    let sum = 0;
    for (let t = 0; t < width; t++) {
      sum = f(sum + f(rows[row * width + t] * directions[direction * width + t]));
    }
    return sum;
  });
}

onEachBackend("innerProducts() is as precise as the plain formula", async (backend) => {
  for (const shape of shapes) {
    const [heads, count, width, projections] = shape;
    for (const spread of [1, 1000]) {
      const rows = normals(1, heads * count * width, spread);
      const directions = normals(2, heads * projections * width);
      const { actual: [products], expected: [exact] } = await besideReference(backend, (on) => [
        on.innerProducts({
          rows: on.upload(rows),
          directions: on.upload(directions),
          heads,
          count,
          width,
          projections,
        }),
      ]);
      assertPrecise(products, plainProducts(rows, directions, shape), exact, `${shape}, spread ${spread}`);
    }
  }
});

onEachBackend(
  "innerProducts() is linear in the rows: zeros and unit vectors give themselves",
  async (backend) => {
    const width = 9, projections = 13, directions = normals(1, projections * width);
    const rows = new Float32Array((width + 1) * width);
    for (let t = 0; t < width; t++) rows[(t + 1) * width + t] = 1;
    const [products] = await backend.run([backend.innerProducts({
      rows: backend.upload(rows),
      directions: backend.upload(directions),
      heads: 1,
      count: width + 1,
      width,
      projections,
    })]);
    const expected = Float32Array.from(
      { length: products.length },
      (_, at) =>
        at < projections ? 0 : directions[(at % projections) * width + Math.floor(at / projections) - 1],
    );
    assertEquals(products, expected);
  },
);

/** Squared distances, every operation rounded to f32. */
function plainDistances(
  rows: Float32Array,
  query: Float32Array,
  index: Uint32Array,
  [heads, count, width, picks]: number[],
): Float32Array {
  const queries = index.length / heads / picks;
  return Float32Array.from(index, (row, at) => {
    const own = Math.floor(at / picks), from = Math.floor(own / queries) * count + row;
    let sum = 0;
    for (let t = 0; t < width; t++) {
      const difference = f(query[own * width + t] - rows[from * width + t]);
      sum = f(sum + f(difference * difference));
    }
    return sum;
  });
}

onEachBackend("gatheredDistances() is as precise as the plain formula", async (backend) => {
  for (const shape of shapes) {
    const [heads, count, width, picks] = shape;
    for (const [queries, offset] of [[1, 0], [17, 0], [5, 1000]]) {
      const rows = normals(1, heads * count * width).map((x) => x + offset);
      const query = normals(2, heads * queries * width).map((x) => x + offset);
      const index = wordsBelow(3, heads * queries * picks, count);
      const { actual: [distances], expected: [exact] } = await besideReference(backend, (on) => [
        on.gatheredDistances({
          rows: on.upload(rows),
          query: on.upload(query),
          index: on.upload(index),
          heads,
          count,
          queries,
          width,
          picks,
        }),
      ]);
      const plain = plainDistances(rows, query, index, shape);
      assertPrecise(distances, plain, exact, `${shape}, ${queries} queries at ${offset}`);
    }
  }
});

onEachBackend("gatheredDistances() gives 0 for the query itself and FAR for no row", async (backend) => {
  for (const width of [1, 7, 64]) {
    const count = 300, rows = normals(1, count * width, 1e4);
    const index = Uint32Array.from({ length: 2 * count }, (_, at) => at % 2 === 0 ? at / 2 : NO_ROW);
    const [distances] = await backend.run([backend.gatheredDistances({
      rows: backend.upload(rows),
      query: backend.upload(rows),
      index: backend.upload(index),
      heads: 1,
      count,
      queries: count,
      width,
      picks: 2,
    })]);
    backend.reset();
    const expected = Float32Array.from(index, (row) => row === NO_ROW ? FAR : 0);
    assertEquals(distances, expected);
    assertGreater(FAR, 1e38);
  }
});
