import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { kMeans, productsOfKMeans } from "../../../../estimators/methods/rivals/shared/k_means.ts";
import type { Backend } from "../../../../kernels/backend.ts";
import { Purpose, RandomStream } from "../../../../kernels/random.ts";
import { ReferenceBackend } from "../../../../kernels/reference/backend.ts";
import { normals } from "../../../data.ts";
import { onEachBackend } from "../../../backends.ts";

const WIDTH = 5;

/** `count` rows about `groups` centres, row i about centre i mod groups. */
function grouped(count: number, groups: number, { offset = 0, unit = 1 } = {}): Float32Array {
  const centres = normals(1, groups * WIDTH, 20), noise = normals(2, count * WIDTH, 0.3);
  return noise.map((x, at) =>
    unit * (x + centres[Math.floor(at / WIDTH) % groups * WIDTH + at % WIDTH] + offset)
  );
}

function cluster(
  backend: Backend,
  data: Float32Array,
  plan: Parameters<typeof kMeans>[3],
  seed = 4,
): ReturnType<typeof kMeans> {
  const rows = { data, count: data.length / WIDTH };
  return kMeans(backend, rows, WIDTH, plan, new RandomStream(seed, Purpose.choice));
}

/** Σ ‖row − mean of its cluster‖². */
function scatter(data: Float32Array, { labels, means }: Awaited<ReturnType<typeof kMeans>>): number {
  return data.reduce(
    (sum, x, at) => sum + (x - means[labels[Math.floor(at / WIDTH)] * WIDTH + at % WIDTH]) ** 2,
    0,
  );
}

onEachBackend(
  "kMeans() never joins groups that lie apart, wherever they lie and however large they are",
  async (backend) => {
    for (const where of [{}, { offset: 3000 }, { unit: 1e-18 }, { unit: 1e25 }]) {
      for (const sampled of [undefined, 90]) {
        // More clusters than groups: a group may be cut, but with centres in every group none shares a cluster.
        const data = grouped(310, 3, where);
        const { labels, order, sizes } = await cluster(backend, data, { clusters: 24, rounds: 8, sampled });
        const groupOf = new Map<number, number>();
        labels.forEach((label, row) =>
          assertEquals(groupOf.get(label) ?? row % 3, (groupOf.set(label, row % 3), row % 3))
        );
        assertEquals([...order].sort((a, b) => a - b), [...labels.keys()]);
        let first = 0;
        sizes.forEach((size, at) => {
          assert(order.subarray(first, first += size).every((row) => labels[row] === at));
        });
        assertEquals(first, 310);
      }
    }
  },
);

onEachBackend("kMeans() finds what the reference finds", async (backend) => {
  const data = grouped(200, 6), plan = { clusters: 6, rounds: 10 };
  const actual = await cluster(backend, data, plan);
  const expected = await cluster(new ReferenceBackend(), data, plan);
  assertEquals(actual, expected);
});

onEachBackend("kMeans() leaves clusters empty where rows are equal, and nothing is NaN", async (backend) => {
  const data = new Float32Array(40 * WIDTH).fill(3);
  const { labels, sizes, means } = await cluster(backend, data, { clusters: 7, rounds: 3 });
  assertEquals(new Set(labels).size, 1);
  assertEquals(sizes.reduce((a, b) => a + b), 40);
  assert(means.every((x) => x === 3));
});

Deno.test("kMeans() gives a centre that lost its rows another", async () => {
  // Three rows in four are equal: most first centres are, and all but one of these are nearest to none.
  const data = normals(3, 200 * WIDTH).map((x, at) => Math.floor(at / WIDTH) % 4 > 0 ? 1 : x + 10);
  const { sizes: before } = await cluster(new ReferenceBackend(), data, { clusters: 40, rounds: 0 });
  const { sizes: after } = await cluster(new ReferenceBackend(), data, { clusters: 40, rounds: 12 });
  const empty = (sizes: Uint32Array) => sizes.filter((size) => size === 0).length;
  assertGreater(empty(before), 20);
  assertLess(empty(after), empty(before) / 1.5);
});

Deno.test("kMeans() scatters less with each round, about as little on a sample, and depends on the seed", async () => {
  const data = normals(9, 600 * WIDTH), backend = new ReferenceBackend(), clusters = 20;
  const of = async (rounds: number, sampled?: number) =>
    scatter(data, await cluster(backend, data, { clusters, rounds, sampled }));
  const [none, few, many, some] = [await of(0), await of(2), await of(10), await of(10, 150)];
  assertGreater(none, few);
  assertGreater(few, many);
  assertLess(some, 1.2 * many);
  const [one, other] = [
    await cluster(backend, data, { clusters, rounds: 3 }, 1),
    await cluster(backend, data, { clusters, rounds: 3 }, 2),
  ];
  assert(one.labels.some((label, at) => label !== other.labels[at]));
});

Deno.test("kMeans() makes one cluster of all rows, or one of each, without a product", async () => {
  const data = normals(7, 12 * WIDTH), backend = new ReferenceBackend();
  const all = await cluster(backend, data, { clusters: 1, rounds: 5 });
  assertEquals([...all.sizes], [12]);
  for (let c = 0; c < WIDTH; c++) {
    const column = data.filter((_, at) => at % WIDTH === c);
    assertAlmostEquals(all.means[c], column.reduce((a, b) => a + b) / 12, 1e-6);
  }
  for (const clusters of [12, 30]) {
    const each = await cluster(backend, data, { clusters, rounds: 5 });
    assertEquals([...each.labels], [...each.labels.keys()]);
    assertEquals(each.means, data);
    assertEquals(productsOfKMeans(12, { clusters, rounds: 5 }), 0);
  }
  assertEquals(productsOfKMeans(12, { clusters: 1, rounds: 5 }), 0);
  assertEquals(productsOfKMeans(100, { clusters: 4, rounds: 10 }), 4 * 11 * 100);
  assertEquals(productsOfKMeans(100, { clusters: 4, rounds: 10, sampled: 30 }), 4 * (10 * 30 + 100));
});
