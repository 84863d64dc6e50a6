import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Backend, EMPTY } from "../../kernels/backend.ts";
import { NEGLIGIBLE_WEIGHT, TREE_BUNDLE, TREE_GROUP } from "../../kernels/tree_primitives.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals } from "../data.ts";
import { assertPrecise } from "../precision.ts";
import { type HostTree, hostTree, largestRelativeError, plainScatter, uploadTree } from "../tree.ts";

const unit = 2 ** -23;

interface Shape {
  readonly heads: number;
  readonly centres: number;
  readonly count: number;
  readonly width: number;
  readonly picks?: number;
}

/** What is given beside logits and a tree. */
interface Given {
  readonly ends?: Uint32Array;
  /** [heads, centres, picks, width] */
  readonly offsets?: Float32Array;
}

const record =
  (logits: Float32Array, tree: HostTree, shape: Shape, { ends, offsets }: Given = {}) => (on: Backend) => {
    const { weights, logMass, gains } = on.tiltKeys({
      ...shape,
      logits: on.upload(logits),
      tree: uploadTree(on, tree),
      ends: ends && on.upload(ends),
      offsets: offsets && on.upload(offsets),
    });
    return [weights, logMass, gains];
  };

/** Where groups begin, and the number of keys. */
function groupBounds(cuts: Uint32Array, count: number): number[] {
  const bounds = [0];
  for (let from = TREE_GROUP; from < count; from += TREE_GROUP) {
    const places = Array.from({ length: Math.min(TREE_GROUP, count - from) }, (_, i) => from + i);
    const sizes = places.map((cut) => cuts[4 * cut + 1] - cuts[4 * cut]);
    bounds.push(places[sizes.indexOf(Math.max(...sizes))]);
  }
  return [...bounds, count];
}

/** Weights by which queries look, by the plain formula in f32. */
function plainByQueries(
  weights: Float32Array,
  rows: Float32Array,
  bounds: readonly number[],
  offsets: Float32Array,
  width: number,
): Float32Array {
  const { fround } = Math, groups = bounds.length - 1, picks = offsets.length / width;
  const mass = new Float32Array(groups), means = new Float32Array(groups * width);
  const logShare = new Float32Array(groups).fill(-Infinity);
  for (let g = 0; g < groups; g++) {
    for (let j = bounds[g]; j < bounds[g + 1]; j++) mass[g] += weights[j];
    if (mass[g] === 0) continue;
    for (let c = g * width; c < (g + 1) * width; c++) {
      for (let j = bounds[g]; j < bounds[g + 1]; j++) {
        means[c] += fround(weights[j] * rows[j * width + c % width]);
      }
      means[c] /= mass[g];
    }
    const variance = fround(plainScatter(rows, weights, bounds[g], bounds[g + 1], width) / mass[g]);
    logShare[g] = fround(fround(Math.log(mass[g])) + variance / 2);
  }
  const squares = mass.map((x) => x * x);
  for (let pick = 0; pick < picks; pick++) {
    const shares = logShare.map((x, g) => {
      let product = 0;
      for (let c = 0; c < width; c++) {
        product = fround(product + fround(offsets[pick * width + c] * means[g * width + c]));
      }
      return x + product;
    });
    const largest = shares.reduce((a, b) => Math.max(a, b));
    const powers = shares.map((x) => Math.exp(fround(x - largest)));
    const total = powers.reduce((a, b) => fround(a + b));
    powers.forEach((x, g) => squares[g] += fround(fround(x / total) ** 2));
  }
  return weights.map((w, j) => {
    const g = bounds.findIndex((bound) => bound > j) - 1;
    return mass[g] > 0 ? w * fround(fround(Math.sqrt(fround(squares[g] / (picks + 1)))) / mass[g]) : 0;
  });
}

/** The plain formulas in f32. */
function plain(logits: Float32Array, tree: HostTree, shape: Shape, offsets?: Float32Array) {
  const { heads, centres, count, width, picks = 0 } = shape, { fround } = Math;
  const weights = new Float32Array(logits.length), logMass = new Float32Array(heads * centres);
  const gains = new Float32Array(logits.length);
  for (let at = 0; at < heads * centres; at++) {
    const head = Math.floor(at / centres);
    const own = weights.subarray(at * count, (at + 1) * count);
    const given = logits.subarray(at * count, (at + 1) * count);
    const largest = given.reduce((a, b) => Math.max(a, b), -Infinity);
    let total = 0;
    given.forEach((x, j) => total = fround(total + (own[j] = Math.exp(fround(x - largest)))));
    own.forEach((w, j) => own[j] = w < fround(NEGLIGIBLE_WEIGHT * total) ? 0 : w / total);
    logMass[at] = largest + fround(Math.log(total));
    const rows = tree.rows.subarray(head * count * width, (head + 1) * count * width);
    const cuts = tree.cuts.subarray(4 * head * count, 4 * (head + 1) * count);
    const gain = gains.subarray(at * count, (at + 1) * count);
    const asSeen = offsets
      ? plainByQueries(
        own,
        rows,
        groupBounds(cuts, count),
        offsets.subarray(at * picks * width, (at + 1) * picks * width),
        width,
      )
      : own;
    const visit = (cut: number, most: number): void => {
      if (cut === 0) return;
      const [begin, end, left, right] = cuts.subarray(4 * cut, 4 * cut + 4);
      const scatter = Math.min(most, plainScatter(rows, asSeen, begin, end, width));
      if (end - begin <= TREE_BUNDLE) return void gain.fill(scatter, begin + 1, end);
      gain[cut] = scatter;
      visit(left, scatter);
      visit(right, scatter);
    };
    visit(cuts[2], Infinity);
  }
  return [weights, logMass, gains];
}

const shapes: readonly Shape[] = [
  { heads: 1, centres: 1, count: 1, width: 1 },
  { heads: 2, centres: 2, count: 2, width: 3 },
  { heads: 2, centres: 3, count: 5, width: 4 },
  { heads: 3, centres: 2, count: 64, width: 5 },
  { heads: 2, centres: 37, count: 131, width: 15 },
  { heads: 1, centres: 2, count: 700, width: 70 },
  { heads: 1, centres: 1, count: 300, width: 1030 },
  { heads: 1, centres: 3, count: 4999, width: 16 },
];

/** Draws of small shapes that are judged together: of a few numbers the plain formula may be exact by chance. */
const DRAWS = 8, FEW_GAINS = 64;

onEachBackend("tiltKeys() gives the reference's weights and gains", async (backend) => {
  for (const shape of shapes) {
    const { heads, centres, count, width } = shape, what = `${heads}, ${centres}, ${count}, ${width}`;
    const draws = heads * centres * count < FEW_GAINS ? DRAWS : 1;
    // Few keys weigh, and more than half weigh nothing.
    for (const spread of [1, 12]) {
      const actual: number[][] = [[], [], []], expected: number[][] = [[], [], []];
      const rough: number[][] = [[], [], []];
      for (let draw = 0; draw < draws; draw++) {
        const tree = await hostTree(normals(1 + draw, heads * count * width), shape);
        const logits = normals(2 + draw, heads * centres * count, spread);
        const both = await besideReference(backend, record(logits, tree, shape));
        const formula = plain(logits, tree, shape);
        for (let at = 0; at < 3; at++) {
          for (const x of both.actual[at]) actual[at].push(x);
          for (const x of both.expected[at]) expected[at].push(x);
          for (const x of formula[at]) rough[at].push(x);
        }
      }
      ["weights", "masses", "gains"].forEach((name, at) =>
        assertPrecise(actual[at], rough[at], expected[at], `${name} of ${what}`)
      );
      // Small gains as well: what a weight of the least size adds to a scatter may be there or not.
      const negligible = 1e-3 * width * NEGLIGIBLE_WEIGHT ** 0.5;
      const error = largestRelativeError(actual[2], expected[2], negligible);
      const allowed = 2 * largestRelativeError(rough[2], expected[2], negligible) + 8 * unit;
      assertLessOrEqual(error, allowed, `${what}, ${spread}`);
    }
  }
});

onEachBackend(
  "tiltKeys() lets nothing gain more than what it lies in, and bundles few keys",
  async (backend) => {
    const shape = { heads: 1, centres: 3, count: 900, width: 6 }, { centres, count, width } = shape;
    const tree = await hostTree(normals(3, count * width).map((x) => x ** 3), shape);
    const [weights, , gains] = await backend.run(
      record(normals(4, centres * count, 5), tree, shape)(backend),
    );
    backend.reset();
    for (let at = 0; at < centres; at++) {
      const gain = gains.subarray(at * count, (at + 1) * count);
      assertEquals(gain[0], 0);
      const own = weights.subarray(at * count, (at + 1) * count);
      assert(own.every((w) => w === 0 || w >= NEGLIGIBLE_WEIGHT * (1 - 4 * unit)));
      for (let cut = 1; cut < count; cut++) {
        const [begin, end, ...sides] = tree.cuts.subarray(4 * cut, 4 * cut + 4);
        for (const side of sides.filter((side) => side > 0)) assertLessOrEqual(gain[side], gain[cut]);
        if (end - begin <= TREE_BUNDLE) {
          for (let other = begin + 1; other < end; other++) assertEquals(gain[other], gain[cut]);
        }
      }
    }
  },
);

onEachBackend("tiltKeys() passes over masked keys, and keeps small scatters far from 0", async (backend) => {
  const shape = { heads: 1, centres: 2, count: 400, width: 5 }, { centres, count, width } = shape;
  // Pairs of rows that lie together, all of them far from 0: differences of sums of squares would lose the pairs.
  const pairs = Float32Array.from({ length: count * width }, (_, at) => {
    const row = Math.floor(at / width);
    return 64 + 8 * ((row >> 1) * (1 + at % width) % 13) + (row % 2) / 64;
  });
  const tree = await hostTree(pairs, shape);
  const logits = normals(5, centres * count);
  for (const masked of [1, 3, count]) {
    const given = logits.map((x, at) => at % count % masked === masked - 1 && masked > 1 ? -1e38 : x);
    const { actual, expected } = await besideReference(backend, record(given, tree, shape));
    const rough = plain(given, tree, shape);
    const error = largestRelativeError(actual[2], expected[2], 1e-12);
    const allowed = 2 * largestRelativeError(rough[2], expected[2], 1e-12) + 8 * unit;
    assertLessOrEqual(error, allowed, `every ${masked}-th masked`);
    actual[0].forEach((w, at) => given[at] === -1e38 && assertEquals(w, 0));
  }
});

onEachBackend("tiltKeys() finds nothing to gain where rows are equal", async (backend) => {
  const shape = { heads: 2, centres: 2, count: 200, width: 3 }, { heads, centres, count, width } = shape;
  const rows = Float32Array.from({ length: heads * count * width }, (_, at) => [3, -0.5, 1024][at % width]);
  const tree = await hostTree(rows, shape);
  const [, , gains] = await backend.run(record(normals(6, heads * centres * count), tree, shape)(backend));
  backend.reset();
  // The mean may be off by its own rounding.
  assert(gains.every((gain) => gain <= 3 * (1024 * 8 * unit) ** 2));
});

onEachBackend(
  "tiltKeys() sees the keys before an end as if there were no others, and none at all without NaN",
  async (backend) => {
    const shapes = [[2, 4, 130, 5], [1, 36, 77, 16], [1, 5, 2100, 7]];
    for (const [heads, centres, count, width] of shapes) {
      const shape = { heads, centres, count, width };
      const tree = await hostTree(normals(7, heads * count * width), shape);
      const logits = normals(8, heads * centres * count, 3);
      const ends = Uint32Array.from(
        { length: heads * centres },
        (_, at) => [0, 1, Math.floor(count / 3), count - 1, count][at % 5],
      );
      const isSeen = (at: number) =>
        tree.order[Math.floor(at / (centres * count)) * count + at % count] < ends[Math.floor(at / count)];
      const { actual, expected } = await besideReference(backend, record(logits, tree, shape, { ends }));
      const masked = logits.map((x, at) => isSeen(at) ? x : -1e38), rough = plain(masked, tree, shape);
      // The plain formula knows nothing of what sees no key.
      for (let row = 0; row < ends.length; row++) {
        if (ends[row] > 0) continue;
        assertEquals([actual[1][row], expected[1][row]], [Math.fround(EMPTY), Math.fround(EMPTY)]);
        for (const result of [actual, expected, rough]) {
          result[1][row] = 0;
          if (result === rough) [0, 2].forEach((of) => rough[of].fill(0, row * count, (row + 1) * count));
        }
      }
      ["weights", "masses", "gains"].forEach((name, at) =>
        assertPrecise(
          actual[at],
          rough[at],
          expected[at],
          `${name} of ${heads}, ${centres}, ${count}, ${width}`,
        )
      );
      actual[0].forEach((w, at) => assert(w >= 0 && (isSeen(at) || w === 0)));
      assert(actual[2].every((gain) => gain >= 0));
      const alone = await backend.run(record(masked, tree, shape)(backend));
      backend.reset();
      for (let row = 0; row < ends.length; row++) {
        const own = (data: ArrayLike<number>) => Array.from(data).slice(row * count, (row + 1) * count);
        if (ends[row] > 0) [0, 2].forEach((of) => assertEquals(own(actual[of]), own(alone[of])));
      }
    }
  },
);

onEachBackend("tiltKeys() counts keys by how much the queries of a centre look at them", async (backend) => {
  const shapes: readonly (Shape & { readonly picks: number })[] = [
    { heads: 1, centres: 1, count: 1, width: 1, picks: 1 },
    { heads: 2, centres: 3, count: 15, width: 3, picks: 2 },
    { heads: 2, centres: 2, count: 17, width: 4, picks: 3 },
    { heads: 1, centres: 37, count: 130, width: 5, picks: 33 },
    { heads: 2, centres: 3, count: 1500, width: 14, picks: 7 },
  ];
  for (const shape of shapes) {
    const { heads, centres, count, width, picks } = shape;
    const tree = await hostTree(normals(11, heads * count * width), shape);
    const offsets = normals(12, heads * centres * picks * width, 1.5);
    for (const spread of [0.5, 8]) {
      const logits = normals(13, heads * centres * count, spread);
      const { actual, expected } = await besideReference(backend, record(logits, tree, shape, { offsets }));
      const rough = plain(logits, tree, shape, offsets);
      ["weights", "masses", "gains"].forEach((name, at) =>
        assertPrecise(
          actual[at],
          rough[at],
          expected[at],
          `${name} of ${heads}, ${centres}, ${count}, ${width}, ${picks}`,
        )
      );
      const without = await backend.run(record(logits, tree, shape)(backend));
      backend.reset();
      [0, 1].forEach((at) => assertEquals(actual[at], without[at]));
    }
  }
});

onEachBackend("tiltKeys() gains as without queries where all keys are one group", async (backend) => {
  const shape = { heads: 2, centres: 2, count: TREE_GROUP, width: 6, picks: 5 };
  const { heads, centres, count, width, picks } = shape;
  const tree = await hostTree(normals(14, heads * count * width), shape);
  const logits = normals(15, heads * centres * count, 2),
    offsets = normals(16, heads * centres * picks * width);
  const [, , gains] = await backend.run(record(logits, tree, shape, { offsets })(backend));
  const [, , without] = await backend.run(record(logits, tree, shape)(backend));
  backend.reset();
  assertLessOrEqual(largestRelativeError(gains, without, 1e-6), 16 * unit);
});

onEachBackend("tiltKeys() sees what one query looks at and its centre does not", async (backend) => {
  const shape = { heads: 1, centres: 1, count: 256, width: 2, picks: 3 }, { count, width } = shape;
  // Two far heaps of pairs; all queries but one look at the first.
  const rows = Float32Array.from({ length: count * width }, (_, at) => {
    const row = at >> 1;
    return at % 2 === 0 ? (row < count / 2 ? -4 : 4) : (row % 128) / 256;
  });
  const tree = await hostTree(rows, shape);
  const logits = Float32Array.from({ length: count }, (_, j) => tree.rows[2 * j] < 0 ? 0 : -12);
  const offsets = Float32Array.of(0, 0, 0, 0, 3, 0);
  const [, , plainGains] = await backend.run(record(logits, tree, shape)(backend));
  const [, , gains] = await backend.run(record(logits, tree, shape, { offsets })(backend));
  backend.reset();
  const within = (own: ArrayLike<number>, isFar: boolean) =>
    Math.max(
      ...Array.from(own).filter((_, j) =>
        j > 0 && (tree.rows[2 * j] > 0) === isFar &&
        (tree.rows[2 * j - 2] > 0) === isFar
      ),
    );
  assert(within(plainGains, true) < 1e-4 * within(plainGains, false));
  assert(within(gains, true) > 0.3 * within(gains, false));
});

onEachBackend("tiltKeys() passes over centres that see no key, and their queries", async (backend) => {
  const shape = { heads: 1, centres: 3, count: 100, width: 4, picks: 2 }, { centres, count, width } = shape;
  const tree = await hostTree(normals(16, count * width), shape);
  const ends = Uint32Array.of(0, 40, 100), offsets = normals(17, centres * 2 * width);
  const logits = normals(18, centres * count);
  const { actual, expected } = await besideReference(backend, record(logits, tree, shape, { ends, offsets }));
  assert(actual[2].slice(0, count).every((gain) => gain === 0));
  const masked = logits.map((x, at) => tree.order[at % count] < ends[Math.floor(at / count)] ? x : -1e38);
  const rough = plain(masked, tree, shape, offsets)[2].fill(0, 0, count);
  assertPrecise(actual[2], rough, expected[2], "gains behind ends");
});
