import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { onEachBackend, openAsGpu, webgpuTest } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals } from "../data.ts";

interface Shape {
  readonly heads: number;
  readonly count: number;
  readonly width: number;
  readonly grownOn: number;
  readonly budget: number;
  readonly perCluster: number;
}

const record = (rows: Float32Array, weights: Float32Array, shape: Shape) => (on: Backend) => {
  const { labels, clusters, products } = on.bisectRows({
    ...shape,
    rows: on.upload(rows),
    weights: on.upload(weights),
  });
  return [labels, clusters, products];
};

/** Positive weights of which few are large. */
const heavyTailed = (seed: number, count: number) => normals(seed, count).map((x) => 1e-3 + x ** 4);

/** Σ w‖x − weighted mean‖² over the clusters of one head. */
function scatter(rows: Float32Array, weights: Float32Array, labels: Uint32Array, width: number): number {
  const clusters = labels.reduce((a, b) => Math.max(a, b), 0) + 1;
  const sums = new Float64Array(clusters * width), totals = new Float64Array(clusters);
  labels.forEach((label, row) => {
    totals[label] += weights[row];
    for (let c = 0; c < width; c++) sums[label * width + c] += weights[row] * rows[row * width + c];
  });
  let total = 0;
  labels.forEach((label, row) => {
    for (let c = 0; c < width; c++) {
      total += weights[row] * (rows[row * width + c] - sums[label * width + c] / totals[label]) ** 2;
    }
  });
  return total;
}

onEachBackend("bisectRows() gives the reference's clusters", async (backend) => {
  for (
    const [heads, count, width, clusters] of [
      [1, 1, 1, 1],
      [2, 2, 3, 2],
      [3, 97, 15, 12],
      [1, 700, 64, 40],
      [1, 3000, 16, 50],
      [2, 300, 100, 300],
      [1, 64, 1030, 5],
    ]
  ) {
    const perCluster = count, budget = clusters * perCluster + 12 * count;
    const rows = normals(1, heads * count * width), weights = heavyTailed(2, heads * count);
    for (const grownOn of new Set([count, Math.ceil(count / 2), Math.ceil(count / 7), 1])) {
      const { actual, expected } = await besideReference(
        backend,
        record(rows, weights, { heads, count, width, grownOn, budget, perCluster }),
      );
      assertEquals(actual, expected, `${heads}, ${count}, ${width}, grown on ${grownOn}`);
    }
  }
});

webgpuTest(
  "bisectRows() cuts all clusters of a level at once as on a GPU, and one by one what is left",
  async () => {
    const backend = await openAsGpu();
    for (
      // Light weights keep the tree shallow; heavy ones make it deeper than the levels that are cut at once; equal rows fail.
      const [heads, count, width, clusters, tail] of [
        [2, 2, 3, 2, 1],
        [3, 97, 15, 12, 4],
        [4, 300, 3, 6, 12],
        [1, 700, 64, 60, 1],
        // With more clusters the scatters come near 2^−20 of that of all, where rounding decides which is cut first.
        [2, 400, 6, 60, 8],
      ]
    ) {
      const rows = normals(21, heads * count * width).map((x, at) =>
        Math.floor(at / width) % 5 === 0 ? 0.5 : x
      );
      const weights = normals(22, heads * count).map((x) => 1e-3 + Math.abs(x) ** tail);
      const shape = { heads, count, width, grownOn: Math.ceil(count / 2), perCluster: count };
      for (const budget of [2 * count, (clusters + 12) * count]) {
        const { actual, expected } = await besideReference(
          backend,
          record(rows, weights, { ...shape, budget }),
        );
        assertEquals(actual, expected, `${heads}, ${count}, ${width}, ${budget}`);
      }
    }
    backend.destroy();
  },
);

onEachBackend("bisectRows() lets other rows descend as it does its own", async (backend) => {
  for (
    const [heads, count, width, others, every] of [[1, 40, 3, 9, 1], [2, 500, 15, 700, 3], [
      1,
      900,
      64,
      300,
      1,
    ]]
  ) {
    const rows = normals(11, heads * count * width), weights = heavyTailed(12, heads * count);
    const shape = { heads, count, width, grownOn: Math.ceil(count / every), perCluster: count };
    const offsets = normals(13, heads * width, 4), own = normals(14, heads * others * width);
    const scale = Float32Array.from({ length: heads }, (_, head) => 2 ** head / 4);
    const zeros = new Float32Array(heads * width);
    const descend = (on: Backend, rowsOfOthers: Float32Array) =>
      on.bisectRows({
        ...shape,
        budget: 30 * count,
        rows: on.upload(rows),
        weights: on.upload(weights),
        others: {
          rows: on.upload(rowsOfOthers),
          count: rowsOfOthers.length / heads / width,
          centre: on.upload(offsets),
          scale: on.upload(scale),
          treeCentre: on.upload(zeros),
        },
      });
    const { actual, expected } = await besideReference(
      backend,
      (on) => [descend(on, own).others],
    );
    assertEquals(actual, expected);
    // Its own rows, displaced and stretched, come to their own clusters.
    const displaced = rows.map((x, at) => {
      const head = Math.floor(at / (count * width));
      return x / scale[head] + offsets[head * width + at % width];
    });
    const { labels, others: found } = descend(backend, displaced);
    const [label, other] = await backend.run([labels, found]) as Uint32Array[];
    backend.reset();
    const agreeing = label.filter((own, row) => own === other[row]).length;
    // Rounding of the displacement moves a row that lies in a hyperplane.
    assertGreater(agreeing, 0.98 * label.length);
  }
});

onEachBackend("bisectRows() keeps to its budget and numbers every cluster", async (backend) => {
  const heads = 2, count = 500, width = 8, perCluster = 400;
  const rows = normals(3, heads * count * width), weights = heavyTailed(4, heads * count);
  for (const grownOn of [count, 150]) {
    for (const budget of [0, 399, 1500, 5000, 40000]) {
      const [labels, clusters, products] = await backend.run(
        record(rows, weights, { heads, count, width, grownOn, budget, perCluster })(backend),
      );
      backend.reset();
      for (let head = 0; head < heads; head++) {
        const used = new Set(labels.subarray(head * count, (head + 1) * count));
        assertEquals([...used].sort((a, b) => a - b), [...Array(clusters[head]).keys()]);
        if (clusters[head] > 1) assertLessOrEqual(products[head] + clusters[head] * perCluster, budget);
        else assertEquals(products[head], 0);
      }
      if (budget === 40000) assertGreater(clusters[0], 60);
    }
  }
});

onEachBackend(
  "bisectRows() finds clusters that lie apart, and cuts where the weight is",
  async (backend) => {
    const count = 600, width = 6, perCluster = 1;
    const noise = normals(5, count * width, 0.01);
    const rows = noise.map((x, at) => x + 10 * Math.cos((Math.floor(at / width) % 5) * (1 + at % width)));
    const weights = new Float32Array(count).fill(1);
    const shape = { heads: 1, count, width, grownOn: count, budget: 2 ** 31, perCluster };
    const tree = (budget: number) => record(rows, weights, { ...shape, budget })(backend);
    // Room for the first levels of the tree only.
    const [labels] = await backend.run(tree(5 * (2 * count + 16)));
    backend.reset();
    for (let row = 5; row < count; row++) {
      for (let other = 0; other < 5; other++) {
        if (labels[row] === labels[other]) assertEquals(row % 5, other);
      }
    }
    const few = (weights: Float32Array) =>
      record(normals(6, count * width), weights, { ...shape, budget: 9 * count })(backend);
    const skewed = Float32Array.from({ length: count }, (_, row) => row % 50 === 0 ? 1000 : 1);
    const [even] = await backend.run(few(weights)) as Uint32Array[];
    backend.reset();
    const [aimed] = await backend.run(few(skewed)) as Uint32Array[];
    const of = (labels: Uint32Array) => scatter(normals(6, count * width), skewed, labels, width);
    assertLess(of(aimed), of(even));
  },
);

onEachBackend("bisectRows() meets every column of rows that repeat, whatever the period", async (backend) => {
  const count = 720, width = 5;
  for (const period of [2, 3, 5, 6]) {
    for (const every of [period, 2 * period]) {
      // Rows of a column lie together, far from those of the others.
      const rows = normals(31, count * width).map((x, at) => {
        const column = Math.floor(at / width) % period;
        return x + (at % width === column % width ? 40 * (1 + column) : 0);
      });
      const shape = { heads: 1, count, width, grownOn: Math.ceil(count / every), perCluster: count };
      const run = record(rows, new Float32Array(count).fill(1), { ...shape, budget: 60 * count });
      const [labels, [clusters]] = await backend.run(run(backend)) as Uint32Array[];
      assertGreater(clusters, period);
      const columns = Array.from({ length: clusters }, () => new Set<number>());
      labels.forEach((label, row) => columns[label].add(row % period));
      assertEquals(columns.map(({ size }) => size), Array(clusters).fill(1), `${period}, each ${every}th`);
    }
  }
});

onEachBackend("bisectRows() tells rows apart that repeat to the bit", async (backend) => {
  const count = 96 * 12, width = 4;
  for (const period of [2, 3, 4, 6]) {
    const points = normals(41, period * width, 3);
    const rows = Float32Array.from({ length: count * width }, (_, at) => points[at % (period * width)]);
    const shape = { heads: 1, count, width, grownOn: count, budget: 2 ** 31, perCluster: 1 };
    const run = record(rows, new Float32Array(count).fill(1), shape);
    const [labels, [clusters]] = await backend.run(run(backend)) as Uint32Array[];
    backend.reset();
    assertEquals(clusters, period);
    assertEquals(new Set(labels.subarray(0, period)).size, period);
    assert(labels.every((label, row) => label === labels[row % period]));
  }
});

onEachBackend("bisectRows() leaves equal rows together and ends", async (backend) => {
  const count = 300, width = 5;
  const rows = Float32Array.from({ length: count * width }, (_, at) => [1 / 3, 7, -2, 0, 1e3][at % width]);
  const twoPoints = rows.map((x, at) => Math.floor(at / width) % 3 === 0 ? -x : x);
  const weights = heavyTailed(7, count);
  const shape = { heads: 1, count, width, grownOn: count, budget: 2 ** 31, perCluster: 1 };
  for (const [data, most] of [[rows, 1], [twoPoints, 2], [new Float32Array(count * width), 1]] as const) {
    const [labels, clusters] = await backend.run(record(data, weights, shape)(backend));
    backend.reset();
    assertLessOrEqual(clusters[0], most);
    assert(labels.every((label, row) => label === labels[row % 3]));
  }
});
