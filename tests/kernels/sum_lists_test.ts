import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Backend, EMPTY } from "../../kernels/backend.ts";
import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals } from "../data.ts";
import { assertPrecise, largestMagnitude } from "../precision.ts";
import { type HostTree, hostTree, plainScatter, uploadTree } from "../tree.ts";

interface Shape {
  readonly heads: number;
  readonly centres: number;
  readonly count: number;
  readonly width: number;
  readonly features: number;
  readonly valueFeatures: number;
}

/** Everything that lists are summed from, on the host. */
interface Lists {
  readonly shape: Shape;
  readonly tree: HostTree;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly centre: Float32Array;
  readonly weights: Float32Array;
  readonly logMass: Float32Array;
  readonly gains: Float32Array;
  readonly threshold: Float32Array;
  readonly first: Uint32Array;
  readonly most: number;
}

const record = (lists: Lists) => (on: Backend) => {
  const { shape, most } = lists, up = (name: keyof Lists) => on.upload(lists[name] as Float32Array);
  const { key, value, logWeight } = on.sumLists({
    ...shape,
    most,
    tree: uploadTree(on, lists.tree),
    tilted: { weights: up("weights"), logMass: up("logMass"), gains: up("gains") },
    key: up("key"),
    value: up("value"),
    centre: up("centre"),
    threshold: up("threshold"),
    first: on.upload(lists.first),
  });
  return [key, value, logWeight];
};

/** Lists over gaussian keys, cut where the reference says, with some room left; `spread` is that of the logits. */
async function listsOf(shape: Shape, spread: number, perList: number): Promise<Lists> {
  const { heads, centres, count, width, features, valueFeatures } = shape;
  const tree = await hostTree(normals(1, heads * count * width), shape);
  const logits = normals(2, heads * centres * count, spread);
  const reference = new ReferenceBackend();
  const tilted = reference.tiltKeys({
    ...shape,
    logits: reference.upload(logits),
    tree: uploadTree(reference, tree),
  });
  const sizes = reference.upload(new Uint32Array(heads * centres).fill(1));
  const { threshold, lengths } = reference.openLists({
    ...shape,
    gains: tilted.gains,
    sizes,
    budget: perList * centres,
  });
  const [weights, logMass, gains, limits, own] = await reference.run([
    tilted.weights,
    tilted.logMass,
    tilted.gains,
    threshold,
    lengths,
  ]);
  const first = new Uint32Array(heads * centres);
  let most = 0;
  for (let at = 0, next = 0; at < first.length; at++) {
    if (at % centres === 0) next = 0;
    first[at] = next;
    // Nothing stands behind the last list of a head.
    next += own[at];
    most = Math.max(most, next + 3);
  }
  const floats = [weights, logMass, gains, limits] as Float32Array[];
  return {
    shape,
    tree,
    key: normals(3, heads * count * features),
    value: normals(4, heads * count * valueFeatures),
    centre: normals(5, heads * centres * features, spread / Math.sqrt(features)),
    weights: floats[0],
    logMass: floats[1],
    gains: floats[2],
    threshold: floats[3],
    first,
    most,
  };
}

/** The plain formulas in f32. */
function plain(lists: Lists): [Float32Array, Float32Array, Float32Array] {
  const { weights, logMass, gains, threshold, first, most, centre, tree } = lists, { fround } = Math;
  const { heads, centres, count, width, features, valueFeatures } = lists.shape;
  const logWeight = new Float32Array(heads * most).fill(EMPTY);
  const keys = new Float32Array(heads * most * features),
    values = new Float32Array(heads * most * valueFeatures);
  for (let at = 0; at < heads * centres; at++) {
    const head = Math.floor(at / centres), own = weights.subarray(at * count, (at + 1) * count);
    const rows = tree.rows.subarray(head * count * width, (head + 1) * count * width);
    let entry = head * most + first[at];
    for (let begin = 0, end = 1; begin < count; begin = end++, entry++) {
      while (end < count && gains[at * count + end] < threshold[head]) end++;
      const mass = own.subarray(begin, end).reduce((a, b) => fround(a + b), 0);
      const mean = (into: Float32Array, source: Float32Array, features: number) => {
        for (let j = begin; j < end; j++) {
          const share = mass > 0 ? fround(own[j] / mass) : Number(j === begin);
          for (let c = 0; c < features; c++) {
            into[entry * features + c] += fround(share * source[(head * count + j) * features + c]);
          }
        }
      };
      mean(keys, lists.key, features);
      mean(values, lists.value, valueFeatures);
      if (mass === 0) continue;
      let product = 0;
      for (let c = 0; c < features; c++) {
        product = fround(product + fround(centre[at * features + c] * keys[entry * features + c]));
      }
      const variance = fround(plainScatter(rows, own, begin, end, width) / mass);
      logWeight[entry] = fround(fround(Math.log(mass)) + logMass[at]) + fround(variance / 2 - product);
    }
  }
  return [keys, values, logWeight];
}

/** What there is is set beside the reference; where there is nothing is the same. */
async function assertListsPrecise(backend: Backend, lists: Lists, what: string): Promise<void> {
  const { actual, expected } = await besideReference(backend, record(lists)), rough = plain(lists);
  const present = (values: ArrayLike<number>) => Array.from(values, (x) => x === EMPTY ? 0 : x);
  const empty = (values: ArrayLike<number>) => Array.from(values, (x) => x === Math.fround(EMPTY));
  assertEquals(empty(actual[2]), empty(expected[2]), what);
  const fill = (values: ArrayLike<number>) =>
    present(Array.from(values, (x) => x === Math.fround(EMPTY) ? EMPTY : x));
  assertPrecise(actual[0], rough[0], expected[0], `keys of ${what}`);
  assertPrecise(actual[1], rough[1], expected[1], `values of ${what}`);
  assertPrecise(fill(actual[2]), fill(rough[2]), fill(expected[2]), `weights of ${what}`);
}

onEachBackend("sumLists() gives the reference's means and weights", async (backend) => {
  const shapes: [Shape, number][] = [
    [{ heads: 1, centres: 1, count: 1, width: 1, features: 1, valueFeatures: 1 }, 1],
    [{ heads: 2, centres: 3, count: 5, width: 3, features: 4, valueFeatures: 5 }, 3],
    [{ heads: 3, centres: 2, count: 64, width: 4, features: 7, valueFeatures: 3 }, 9],
    [{ heads: 2, centres: 37, count: 131, width: 15, features: 16, valueFeatures: 33 }, 20],
    [{ heads: 1, centres: 2, count: 500, width: 70, features: 300, valueFeatures: 2 }, 30],
    [{ heads: 1, centres: 3, count: 4999, width: 8, features: 16, valueFeatures: 16 }, 90],
  ];
  for (const [shape, perList] of shapes) {
    for (const spread of [1, 10]) {
      const lists = await listsOf(shape, spread, perList);
      await assertListsPrecise(backend, lists, `${Object.values(shape)}, ${spread}`);
    }
  }
});

onEachBackend("sumLists() takes all keys together, or each for itself", async (backend) => {
  const shape = { heads: 2, centres: 3, count: 150, width: 6, features: 10, valueFeatures: 7 };
  const { heads, centres, count } = shape;
  const lists = await listsOf(shape, 2, 20),
    sums = Array.from({ length: heads * centres }, (_, at) => at % centres);
  const together = {
    ...lists,
    threshold: new Float32Array(heads).fill(2 ** 127),
    first: Uint32Array.from(sums),
    most: centres,
  };
  await assertListsPrecise(backend, together, "one entry each");
  const apart = {
    ...lists,
    gains: lists.gains.map((_, at) => at % count === 0 ? 0 : 1),
    threshold: new Float32Array(heads).fill(1),
    first: Uint32Array.from(sums, (before) => before * count),
    most: centres * count,
  };
  await assertListsPrecise(backend, apart, "one key each");
  const [key, value] = await backend.run(record(apart)(backend));
  backend.reset();
  // One key is its own mean, to the bit.
  const repeat = (rows: Float32Array) => {
    const width = rows.length / heads;
    return Float32Array.from({ length: centres * rows.length }, (_, at) => {
      return rows[Math.floor(at / (centres * width)) * width + at % width];
    });
  };
  assertEquals(key, repeat(lists.key));
  assertEquals(value, repeat(lists.value));
});

onEachBackend("sumLists() has weight for nothing that weighs nothing", async (backend) => {
  const shape = { heads: 1, centres: 2, count: 260, width: 4, features: 8, valueFeatures: 8 },
    { count } = shape;
  const lists = await listsOf(shape, 1, 25);
  // The lower half of the order is without weight, and of what is left more than half has almost none.
  const weights = lists.weights.map((w, at) =>
    at % count < count / 2 ? 0 : at % count < 0.8 * count ? 1e-12 : w
  );
  const scarce = { ...lists, weights };
  await assertListsPrecise(backend, scarce, "few weights");
  const [key, , logWeight] = await backend.run(record(scarce)(backend));
  backend.reset();
  assert(logWeight.some((x) => x === Math.fround(EMPTY)));
  assert(logWeight.some((x) => x > -100));
  assertLessOrEqual(largestMagnitude(key), 10);
});

onEachBackend(
  "sumLists() passes over keys that weigh nothing between others, many of them or few",
  async (backend) => {
    const shape = { heads: 1, centres: 3, count: 700, width: 23, features: 47, valueFeatures: 18 };
    const lists = await listsOf(shape, 2, 12);
    for (const [every, kept] of [[4, 3], [2, 1], [5, 1]]) {
      const weights = lists.weights.map((w, at) => at % every < kept ? w : 0);
      await assertListsPrecise(backend, { ...lists, weights }, `${kept} of ${every}`);
    }
  },
);

onEachBackend("sumLists() is exact at the centre and where an entry holds one key", async (backend) => {
  const shape = { heads: 1, centres: 4, count: 300, width: 5, features: 5, valueFeatures: 1 };
  const { centres, count, features } = shape, lists = await listsOf(shape, 1, 40), { key, centre } = lists;
  // Here the rows of the tree are the keys, and the logits products with the centres.
  const tree = await hostTree(key, shape), ordered = tree.rows;
  const logits = Float32Array.from({ length: centres * count }, (_, at) => {
    const c = Math.floor(at / count), j = at % count;
    let sum = 0;
    for (let t = 0; t < features; t++) sum += centre[c * features + t] * ordered[j * features + t];
    return sum;
  });
  const tilted = backend.tiltKeys({
    ...shape,
    logits: backend.upload(logits),
    tree: uploadTree(backend, tree),
  });
  const sizes = backend.upload(new Uint32Array(centres).fill(1));
  const { threshold, lengths } = backend.openLists({
    ...shape,
    gains: tilted.gains,
    sizes,
    budget: centres * count,
  });
  const [weights, logMass, gains, limits, own] = await backend.run([
    tilted.weights,
    tilted.logMass,
    tilted.gains,
    threshold,
    lengths,
  ]);
  backend.reset();
  const first = Uint32Array.from({ length: centres }, (_, c) => c * count);
  // Everything is open, unless it gains nothing.
  assert(own.every((length) => length > count / 2));
  const all = { ...lists, tree, key: ordered, weights, logMass, gains, threshold: limits, first } as Lists;
  const [mean, , logWeight] = await backend.run(record({ ...all, most: centres * count })(backend));
  backend.reset();
  for (let c = 0; c < centres; c++) {
    let total = 0;
    for (let entry = first[c]; entry < first[c] + own[c]; entry++) {
      let logit = logWeight[entry];
      for (let t = 0; t < features; t++) logit += centre[c * features + t] * mean[entry * features + t];
      total += Math.exp(logit);
    }
    assertLessOrEqual(Math.abs(Math.log(total) - logMass[c]), 1e-4);
  }
});
