import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { cholesky, solve, solveTransposed } from "../../../estimators/linear_algebra/cholesky.ts";
import { leadingSubspace } from "../../../estimators/linear_algebra/leading_subspace.ts";
import { canonicalDirections } from "../../../estimators/methods/tilted_tree/canonical_directions.ts";
import { clusterQueries, layOutLists } from "../../../estimators/methods/tilted_tree/query_clusters.ts";
import { NEAR_QUERIES, nearQueries } from "../../../estimators/methods/tilted_tree/near_queries.ts";
import {
  moveCentres,
  spreadAbout,
  spreadCentres,
} from "../../../estimators/methods/tilted_tree/spread_centres.ts";
import { splitWidest } from "../../../estimators/methods/tilted_tree/split_widest.ts";
import { scatteredPlaces } from "../../../estimators/linear_algebra/scattered_places.ts";
import { floats, floatValues, wordValues } from "../../../kernels/reference/array.ts";
import { growTree } from "../../../kernels/reference/grow_tree.ts";
import { atOnce } from "../../../kernels/reference/steps.ts";
import { normals } from "../../data.ts";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, t) => sum + x * b[t], 0);

Deno.test("a Cholesky factor multiplies back, and solves", () => {
  const size = 9, rows = Float64Array.from(normals(1, size * size));
  const matrix = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      matrix[a * size + b] = dot(
        rows.subarray(a * size, (a + 1) * size),
        rows.subarray(b * size, (b + 1) * size),
      );
    }
  }
  const root = cholesky(matrix, size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      const product = dot(root.subarray(a * size, (a + 1) * size), root.subarray(b * size, (b + 1) * size));
      assertLess(Math.abs(product - matrix[a * size + b]), 1e-4);
    }
  }
  const right = Float64Array.from(normals(2, size)), x = solveTransposed(root, right, size);
  for (let c = 0; c < size; c++) {
    let product = 0;
    for (let r = 0; r < size; r++) product += root[r * size + c] * x[r];
    assertAlmostEquals(product, right[c], 1e-9);
  }
  const forward = solve(root, right, size);
  for (let r = 0; r < size; r++) {
    assertAlmostEquals(dot(root.subarray(r * size, (r + 1) * size), forward), right[r], 1e-9);
  }
  assert(cholesky(new Float64Array(16), 4).every(Number.isFinite), "no covariance at all");
});

Deno.test("a leading subspace is that of the largest eigenvalues", () => {
  // Eigenvalues 9, 4, 1, 0.1 in a turned basis.
  const values = [0.1, 9, 1, 4],
    size = 4,
    basis = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]];
  const matrix = new Float64Array(16);
  values.forEach((value, i) =>
    basis[i].forEach((x, a) => basis[i].forEach((y, b) => matrix[a * size + b] += value * x * y / 4))
  );
  const vectors = leadingSubspace(matrix, size, 2);
  for (let i = 0; i < 2; i++) {
    const own = vectors.subarray(i * size, (i + 1) * size);
    assertAlmostEquals(dot(own, own), 1, 1e-12);
    const inside = (dot(own, basis[1]) / 2) ** 2 + (dot(own, basis[3]) / 2) ** 2;
    assertLess(1 - inside, 1e-3);
  }
  const none = leadingSubspace(new Float64Array(9), 3, 2);
  assertAlmostEquals(dot(none.subarray(0, 3), none.subarray(0, 3)), 1, 1e-12);
  assertAlmostEquals(dot(none.subarray(0, 3), none.subarray(3)), 0, 1e-12);
});

Deno.test("in all directions images have the logits for inner products, and those of keys are white", () => {
  const features = 6, queries = 400, keys = 500;
  const scaled = (seed: number, count: number) =>
    normals(seed, count * features).map((x, at) => x * (1 + at % features));
  const query = scaled(3, queries),
    key = scaled(4, keys),
    maps = canonicalDirections(query, key, features, 16);
  assertEquals(maps.directions, features);
  const image = (map: Float64Array, row: Float32Array) =>
    Array.from({ length: features }, (_, i) => dot(row, map.subarray(i * features, (i + 1) * features)));
  let squares = 0;
  for (let at = 0; at < 40; at++) {
    const q = query.subarray(at * features, (at + 1) * features),
      k = key.subarray(at * features, (at + 1) * features);
    const product = dot(q, k);
    assertLess(
      Math.abs(dot(image(maps.query, q), image(maps.key, k)) - product),
      1e-4 * (1 + Math.abs(product)),
    );
  }
  for (let at = 0; at < keys; at++) {
    squares += image(maps.key, key.subarray(at * features, (at + 1) * features)).reduce(
      (sum, x) => sum + x * x,
      0,
    );
  }
  assert(Math.abs(squares / keys / features - 1) < 0.15, String(squares / keys));
});

Deno.test("centres find a row far from all others, and clusters that lie apart", () => {
  const width = 2, rows = new Float32Array(60 * width);
  for (let at = 0; at < 60; at++) {
    const cluster = at % 3;
    rows.set([10 * cluster + normals(at, 1)[0] / 10, cluster === 1 ? 20 : 0], at * width);
  }
  rows.set([500, 500], 31 * width);
  const tree = atOnce(growTree)({ rows: floats(Float64Array.from(rows)), heads: 1, count: 60, width });
  const ordered = Float32Array.from(floatValues(tree.rows));
  const centres = spreadCentres(ordered, wordValues(tree.cuts), width, 6);
  const found = Array.from(
    { length: 6 },
    (_, at) => `${Math.round(centres[2 * at] / 10)},${centres[2 * at + 1]}`,
  );
  for (const centre of ["0,0", "1,20", "2,0", "50,500"]) assert(found.includes(centre), String(found));
  const same = new Float32Array(8).fill(3);
  const flat = atOnce(growTree)({ rows: floats(Float64Array.from(same)), heads: 1, count: 4, width });
  assertEquals(spreadCentres(same, wordValues(flat.cuts), width, 3), new Float64Array(6).fill(3));
});

Deno.test("centres move to the means of more than three rows; what is left about them is their covariance", () => {
  const centres = new Float64Array([0, 0, 10, 10]);
  const rows = new Float32Array([1, 0, 3, 0, 1, 2, 3, 2, 9, 9]), labels = new Uint32Array([0, 0, 0, 0, 1]);
  moveCentres(centres, rows, labels, 2);
  assertEquals(centres, new Float64Array([2, 1, 10, 10]));
  const [a, b, c, d] = spreadAbout(centres, rows, labels, 2);
  [a, b, c, d].forEach((x, at) => assertAlmostEquals(x, [1, 0.2, 0.2, 1][at], 1e-12));
});

Deno.test("queries are sorted by clusters, of which empty ones look like the first; lists and blocks lie side by side", () => {
  const rows = Float32Array.from({ length: 200 }, (_, row) => row);
  const labels = Uint32Array.from({ length: 200 }, (_, row) => row % 2 ? 2 : 1);
  const { order, sizes, means } = clusterQueries(rows, labels, 1, 4);
  assertEquals(sizes, new Uint32Array([0, 100, 100, 0]));
  assertEquals(means, new Float32Array([99, 99, 100, 99]));
  assertEquals([...order.slice(0, 3), ...order.slice(100, 103)], [0, 2, 4, 1, 3, 5]);
  const lists = layOutLists({ sizes }, new Uint32Array([5, 7, 9, 5]), 1);
  assertEquals(lists.first, new Uint32Array([0, 5, 12, 21]));
  assertEquals([lists.most, lists.blocks, lists.mostQueries, lists.mostKeys], [26, 4, 50, 9]);
  assertEquals(
    lists.positions,
    new Uint32Array([0, 50, 5, 12, 50, 100, 5, 12, 100, 150, 12, 21, 150, 200, 12, 21]),
  );
});

Deno.test("splitWidest() gives rows far out centres of their own, and equal rows none", () => {
  // Two groups of twenty within 1 of their means, and three rows far out that the second has taken in.
  const at = (group: number, row: number) => [100 * group + row % 5 / 4, row % 4 / 3];
  const points = [0, 1].flatMap((group) => Array.from({ length: 20 }, (_, row) => at(group, row)));
  points.push([100, 40], [100, 41], [160, 0]);
  const rows = Float32Array.from(points.flat()),
    labels = Uint32Array.from(points, (_, row) => Number(row >= 20));
  const { centres, labels: found } = splitWidest(rows, labels, 2, 4);
  const ofRows = points.map((_, row) => Array.from(centres.subarray(2 * found[row], 2 * found[row] + 2)));
  assertEquals(ofRows.slice(40), [[100, 40.5], [100, 40.5], [160, 0]]);
  assert(new Set(found.subarray(0, 20)).size === 1 && new Set(found.subarray(20, 40)).size === 1);
  const same = splitWidest(new Float32Array(12).fill(7), new Uint32Array(6), 2, 3);
  assertEquals([same.centres, same.labels], [new Float64Array(6).fill(7), new Uint32Array(6)]);
});

Deno.test("scatteredPlaces() takes one place of each equal part, and meets every column of an image", () => {
  for (const [count, wanted] of [[1, 1], [5, 9], [100, 7], [3136, 192], [2 ** 20, 1024]]) {
    const places = scatteredPlaces(count, wanted), taken = Math.min(count, wanted);
    assertEquals(places.length, taken);
    places.forEach((place, at) => {
      assert(place >= Math.floor(at * count / taken) && place < Math.floor((at + 1) * count / taken));
    });
  }
  const columns = new Set(Array.from(scatteredPlaces(3136, 196), (place) => place % 56));
  assert(columns.size > 40, `${columns.size} of 56 columns`);
});

Deno.test("offsets of near queries are what logits differ by, and clusters of few show them again", () => {
  const heads = 2, features = 5, queries = 70, keys = 40, scale = 0.4, clusters = 4;
  const query = normals(31, heads * queries * features, 2), key = normals(32, heads * keys * features);
  const ofHead = <T extends Float32Array>(rows: T, head: number) =>
    rows.subarray(head * rows.length / heads, (head + 1) * rows.length / heads);
  const maps = [0, 1].map((head) =>
    canonicalDirections(ofHead(query, head), ofHead(key, head), features, features)
  );
  // Any root will do; the last cluster has no query, the third three.
  const roots = [0, 1].map((head) =>
    cholesky(
      new Float64Array(features ** 2).map((_, at) => at % (features + 1) === 0 ? 2 + head : 0.5),
      features,
    )
  );
  const labels = Uint32Array.from(
    { length: heads * queries },
    (_, at) => at % queries < 3 ? 2 : Number(at % queries > 20),
  );
  const means = normals(33, heads * clusters * features);
  const rows = new Float32Array(heads * queries * features);
  for (let row = 0; row < heads * queries; row++) {
    const map = maps[Math.floor(row / queries)].query, own = query.subarray(row * features);
    for (let i = 0; i < features; i++) {
      for (let t = 0; t < features; t++) rows[row * features + i] += scale * map[i * features + t] * own[t];
    }
  }
  const offsets = nearQueries({ heads, features, scale, maps }, means, roots, rows, labels);
  assertEquals(offsets.length, heads * clusters * NEAR_QUERIES * features);
  for (let head = 0; head < heads; head++) {
    const image = Float64Array.from({ length: features }, (_, i) => {
      // Rᵀ times the image of a key.
      let sum = 0;
      for (let j = i; j < features; j++) {
        sum += roots[head][j * features + i] *
          dot(maps[head].key.subarray(j * features, (j + 1) * features), ofHead(key, head));
      }
      return sum;
    });
    for (let cluster = 0; cluster < clusters; cluster++) {
      const mean = means.subarray((head * clusters + cluster) * features);
      const members = Array.from(Array(queries).keys()).filter((row) =>
        labels[head * queries + row] === cluster
      );
      const differences = members.map((row) => {
        const own = query.subarray((head * queries + row) * features);
        return scale * dot(Array.from({ length: features }, (_, t) => own[t] - mean[t]), ofHead(key, head));
      });
      for (let pick = 0; pick < NEAR_QUERIES; pick++) {
        const at = ((head * clusters + cluster) * NEAR_QUERIES + pick) * features;
        const product = dot(offsets.subarray(at, at + features), image);
        if (members.length === 0) assertEquals(product, 0);
        else {
          assert(differences.some((x) => Math.abs(x - product) < 1e-4), `${product} of ${differences}`);
          if (members.length < NEAR_QUERIES) {
            assertAlmostEquals(product, differences[pick % members.length], 1e-4);
          }
        }
      }
    }
  }
});
