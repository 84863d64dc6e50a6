import { assert, assertEquals } from "@std/assert";
import { grayRank } from "../../kernels/reference/angular_hash.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";

Deno.test("grayRank() makes neighbouring ranks differ in one bit", () => {
  const codeOf = new Map(Array.from({ length: 1024 }, (_, code) => [grayRank(code), code]));
  assertEquals(codeOf.size, 1024);
  for (let rank = 1; rank < 1024; rank++) {
    const changed = codeOf.get(rank)! ^ codeOf.get(rank - 1)!;
    assertEquals(changed & (changed - 1), 0, `ranks ${rank - 1} and ${rank}`);
  }
});

onEachBackend("angularHash() gives the reference's ranks", async (backend) => {
  for (
    const [heads, count, width, projections] of [[1, 1, 1, 1], [2, 333, 15, 7], [3, 100, 64, 9], [
      1,
      50,
      100,
      24,
    ]]
  ) {
    const rows = normals(1, heads * count * width), shift = normals(2, heads * width);
    const hyperplanes = normals(3, heads * projections * width);
    const shape = { heads, count, width, projections };
    const { actual, expected } = await besideReference(backend, (on) => [
      on.angularHash({ ...shape, rows: on.upload(rows), hyperplanes: on.upload(hyperplanes) }),
      on.angularHash({
        ...shape,
        rows: on.upload(rows),
        hyperplanes: on.upload(hyperplanes),
        shift: on.upload(shift),
      }),
    ]);
    assertEquals(actual, expected, `${heads}, ${count}, ${width}, ${projections}`);
  }
});

onEachBackend("sortByBucket() is the stable sort and its inverse", async (backend) => {
  for (
    const [heads, count, buckets] of [
      [1, 1, 2],
      [2, 1000, 128],
      [3, 77, 2],
      [1, 5000, 2 ** 16],
      [2, 9000, 300],
      [1, 300, 2 ** 24],
    ]
  ) {
    const ranks = wordsBelow(4, heads * count, buckets);
    const { actual, expected } = await besideReference(backend, (on) => {
      const { order, position } = on.sortByBucket({ ranks: on.upload(ranks), heads, count, buckets });
      return [order, position];
    });
    assertEquals(actual, expected, `${heads}, ${count}, ${buckets}`);
    for (let p = 1; p < count; p++) {
      const before = actual[0][p - 1], after = actual[0][p];
      assert(
        ranks[before] < ranks[after] || (ranks[before] === ranks[after] && before < after),
        `position ${p}`,
      );
    }
  }
});

onEachBackend("sortByBucket() keeps the order of equal ranks", async (backend) => {
  const count = 70000;
  const { order } = backend.sortByBucket({
    ranks: backend.upload(new Uint32Array(count).fill(3)),
    heads: 1,
    count,
    buckets: 8,
  });
  assertEquals(await backend.run([order]), [Uint32Array.from({ length: count }, (_, at) => at)]);
});
