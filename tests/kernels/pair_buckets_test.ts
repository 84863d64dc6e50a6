import { assertEquals } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { wordsBelow } from "../data.ts";

interface Shape {
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly buckets: number;
  readonly mostQueries: number;
  readonly mostKeys: number;
}

const record = (queryRanks: Uint32Array, keyRanks: Uint32Array, shape: Shape) => (on: Backend) => {
  const { heads, queries, keys, buckets } = shape, ranks = [on.upload(queryRanks), on.upload(keyRanks)];
  return [
    on.pairBuckets({
      ...shape,
      queryRanks: ranks[0],
      queryOrder: on.sortByBucket({ ranks: ranks[0], heads, count: queries, buckets }).order,
      keyRanks: ranks[1],
      keyOrder: on.sortByBucket({ ranks: ranks[1], heads, count: keys, buckets }).order,
    }),
  ];
};

onEachBackend("pairBuckets() gives the reference's blocks", async (backend) => {
  for (
    const [heads, queries, keys, buckets, mostQueries, mostKeys] of [
      [1, 1, 1, 1, 1, 1],
      [2, 7, 3, 5, 7, 2],
      [3, 100, 257, 40, 4, 5],
      [1, 257, 100, 9, 32, 100],
      [2, 1000, 1000, 300, 32, 48],
      [2, 500, 900, 1, 30, 20],
    ]
  ) {
    const shape = { heads, queries, keys, buckets, mostQueries, mostKeys };
    const queryRanks = wordsBelow(1, heads * queries, buckets),
      keyRanks = wordsBelow(2, heads * keys, buckets);
    const { actual, expected } = await besideReference(backend, record(queryRanks, keyRanks, shape));
    assertEquals(actual, expected, JSON.stringify(shape));
    // Each query once, in order.
    const [positions] = expected, blocks = positions.length / heads / 4;
    for (let head = 0; head < heads; head++) {
      let next = 0;
      for (let block = head * blocks; block < (head + 1) * blocks; block++) {
        const [first, end] = positions.subarray(4 * block);
        if (first === end) continue;
        assertEquals(first, next);
        next = end;
      }
      assertEquals(next, queries);
    }
  }
});

onEachBackend(
  "pairBuckets() shows the keys of the bucket, the middle of many and a neighbour for none",
  async (backend) => {
    // 2, 0, 5 and 0 keys of buckets 0 to 3; three queries of each.
    const keyRanks = Uint32Array.from([0, 0, 2, 2, 2, 2, 2]);
    const queryRanks = Uint32Array.from({ length: 12 }, (_, query) => Math.floor(query / 3));
    const shape = { heads: 1, queries: 12, keys: 7, buckets: 4, mostQueries: 2, mostKeys: 3 };
    const [positions] = await backend.run(record(queryRanks, keyRanks, shape)(backend));
    backend.reset();
    assertEquals(
      [...positions],
      [
        ...[0, 2, 0, 2],
        ...[2, 3, 0, 2],
        ...[3, 5, 2, 3],
        ...[5, 6, 2, 3],
        ...[6, 8, 3, 6],
        ...[8, 9, 3, 6],
        ...[9, 11, 6, 7],
        ...[11, 12, 6, 7],
        ...[0, 0, 0, 0],
        ...[0, 0, 0, 0],
      ],
    );
  },
);
