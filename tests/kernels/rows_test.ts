import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { DeviceArray } from "../../kernels/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";
import { largestDifference, sumOf } from "../precision.ts";

const unit = 2 ** -23;

onEachBackend("columnMean() is right for few and many rows", async (backend) => {
  for (const [heads, count, width] of [[1, 1, 1], [2, 7, 15], [3, 1000, 64], [1, 131072, 4]]) {
    const rows = normals(1, heads * count * width).map((x) => 5 + x);
    const { actual: [mean], expected: [exact] } = await besideReference(
      backend,
      (on) => [on.columnMean({ rows: on.upload(rows), heads, count, width })],
    );
    // A plain running sum would be off by about count · unit; a careful one by few units.
    assertLessOrEqual(largestDifference(mean, exact), 16 * unit, `${heads}, ${count}, ${width}`);
  }
});

onEachBackend("columnMean() of constant columns is the constant, to the bit", async (backend) => {
  const width = 5, count = 777, constants = [1 / 3, -1e30, 1e-40, 0, 16777217];
  const rows = Float32Array.from({ length: count * width }, (_, at) => constants[at % width]);
  const [mean] = await backend.run([
    backend.columnMean({ rows: backend.upload(rows), heads: 1, count, width }),
  ]);
  backend.reset();
  // WGSL lets a device take denormal numbers for zero; one that keeps them must keep this one.
  const zero = backend.upload(new Float32Array(1)), denormal = backend.upload(Float32Array.of(1e-40));
  const [difference] = await backend.run([
    backend.centreRows({ rows: denormal, centre: zero, heads: 1, count: 1, width: 1 }),
  ]);
  const flushes = backend.kind === "webgpu" && difference[0] === 0;
  assertEquals(mean, Float32Array.from(constants, (x) => flushes && x === 1e-40 ? 0 : x));
});

onEachBackend("centreRows() subtracts and gatherRows() copies, to the bit", async (backend) => {
  const heads = 2, count = 61, width = 15, picks = 97;
  const rows = normals(1, heads * count * width), centre = normals(2, heads * width);
  const index = wordsBelow(3, heads * picks, count);
  const shape = { heads, count, width };
  const { actual, expected } = await besideReference(backend, (on) => [
    on.centreRows({ ...shape, rows: on.upload(rows), centre: on.upload(centre) }),
    on.gatherRows({ ...shape, rows: on.upload(rows), index: on.upload(index), picks }),
  ]);
  assertEquals(actual, expected);
});

onEachBackend(
  "rows of which there are none are nothing, and hold up nothing that is recorded beside them",
  async (backend) => {
    const heads = 2, width = 5, none = new Float32Array(0), rows = normals(1, heads * width);
    const shape = { heads, width };
    const { actual, expected } = await besideReference(backend, (on) => {
      const centre = on.upload(rows),
        empty = on.centreRows({ ...shape, count: 0, rows: on.upload(none), centre });
      const picked = on.gatherRows({
        ...shape,
        count: 1,
        rows: centre,
        index: on.upload(new Uint32Array(0)),
        picks: 0,
      });
      return [empty, picked, on.centreRows({ ...shape, count: 1, rows: centre, centre })];
    });
    assertEquals(actual, expected);
    assertEquals(actual.map(({ length }) => length), [0, 0, heads * width]);
  },
);

onEachBackend("sketchRows() sums every so many-th column with its sign", async (backend) => {
  for (
    const [heads, count, width, folded] of [
      [1, 1, 1, 4],
      [2, 7, 15, 4],
      [2, 61, 16, 8],
      [3, 130, 64, 12],
      [1, 200, 1030, 16],
    ]
  ) {
    const rows = normals(1, heads * count * width);
    const signs = Float32Array.from(
      wordsBelow(2, folded * Math.ceil(width / folded), 2),
      (bit) => 2 * bit - 1,
    );
    const { actual: [sketched], expected: [exact] } = await besideReference(
      backend,
      (on) => [
        on.sketchRows({ rows: on.upload(rows), signs: on.upload(signs), heads, count, width, folded }),
      ],
    );
    assertEquals(sketched.length, heads * count * folded);
    const terms = Math.ceil(width / folded);
    assertLessOrEqual(largestDifference(sketched, exact), 4 * terms * unit, `${heads}, ${count}, ${width}`);
  }
});

onEachBackend("sketchRows() keeps distances in the mean over signs", async (backend) => {
  const width = 40, folded = 8, draws = 2000;
  const pair = normals(3, 2 * width), random = normals(4, draws * width);
  const rows = backend.upload(pair), sketches: DeviceArray[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const signs = random.subarray(draw * width, (draw + 1) * width).map((x) => x < 0 ? -1 : 1);
    sketches.push(
      backend.sketchRows({ rows, signs: backend.upload(signs), heads: 1, count: 2, width, folded }),
    );
  }
  const found = await backend.run(sketches);
  backend.reset();
  const squared = (values: ArrayLike<number>, length: number) => {
    let sum = 0;
    for (let c = 0; c < length; c++) sum += (values[c] - values[length + c]) ** 2;
    return sum;
  };
  const distances = found.map((sketch) => squared(sketch, folded));
  const mean = sumOf(distances) / draws;
  const deviation = Math.sqrt(sumOf(distances.map((x) => (x - mean) ** 2)) / (draws - 1) / draws);
  // Six standard errors of the mean: one run in 5e8 of a right implementation fails, and the signs are fixed.
  assertLessOrEqual(Math.abs(mean - squared(pair, width)), 6 * deviation);
});

onEachBackend("softmaxRows() gives probabilities", async (backend) => {
  for (
    const [heads, queries, keys, features, spread] of [[1, 1, 1, 1, 1], [2, 5, 333, 15, 1], [
      1,
      12,
      1000,
      64,
      50,
    ]]
  ) {
    const query = normals(1, heads * queries * features, spread), key = normals(2, heads * keys * features);
    const shape = { heads, queries, keys, features, scale: 1 / Math.sqrt(features) };
    const { actual: [probabilities], expected: [exact] } = await besideReference(
      backend,
      (on) => [on.softmaxRows({ ...shape, query: on.upload(query), key: on.upload(key) })],
    );
    // A logit of size s carries about sqrt(features) · s units of error into its probability.
    const allowed = 4 * unit * (1 + 4 * spread * Math.sqrt(features));
    assertLessOrEqual(largestDifference(probabilities, exact), allowed, `${heads}, ${queries}, ${keys}`);
    for (let row = 0; row < heads * queries; row++) {
      const total = sumOf(probabilities.subarray(row * keys, (row + 1) * keys));
      assert(Math.abs(total - 1) < 1e-5, `row ${row} sums to ${total}`);
    }
  }
});
