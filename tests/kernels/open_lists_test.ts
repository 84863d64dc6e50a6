import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";

interface Lists {
  readonly gains: Float32Array;
  readonly sizes: Uint32Array;
  readonly heads: number;
  readonly centres: number;
  readonly count: number;
  readonly budget: number;
}

const record = ({ gains, sizes, ...shape }: Lists) => (on: Backend) => {
  const { threshold, lengths } = on.openLists({ ...shape, gains: on.upload(gains), sizes: on.upload(sizes) });
  return [threshold, lengths];
};

/** Gains of many magnitudes, of which a third are 0, and the first of each list, which says nothing, as well. */
function gainsOf(seed: number, lists: number, count: number): Float32Array {
  return normals(seed, lists * count, 12).map((x, at) =>
    at % count === 0 || at % 3 === 1 ? 0 : Math.exp(x - 9)
  );
}

onEachBackend("openLists() gives the reference's thresholds and lengths", async (backend) => {
  for (const [heads, centres, count] of [[1, 1, 1], [2, 1, 2], [3, 2, 97], [2, 37, 300], [1, 5, 5000]]) {
    const gains = gainsOf(1, heads * centres, count), sizes = wordsBelow(2, heads * centres, 50);
    for (const budget of [0, 3 * centres, 100 * centres, 1000 * centres, 2 ** 32 - 1]) {
      const { actual, expected } = await besideReference(
        backend,
        record({ gains, sizes, heads, centres, count, budget }),
      );
      assertEquals(actual, expected, `${heads}, ${centres}, ${count}, ${budget}`);
    }
  }
});

onEachBackend("openLists() opens as much as the budget allows, and no more", async (backend) => {
  const heads = 2, centres = 6, count = 400, gains = gainsOf(3, heads * centres, count);
  const sizes = wordsBelow(4, heads * centres, 30).map((size) => 1 + size);
  const opened = (head: number, limit: number) => {
    let entries = 0;
    for (let at = head * centres; at < (head + 1) * centres; at++) {
      const own = gains.subarray(at * count + 1, (at + 1) * count);
      entries += sizes[at] * (1 + own.filter((gain) => gain >= limit).length);
    }
    return entries;
  };
  for (const budget of [500, 5000, 15000]) {
    const [threshold, lengths] = await backend.run(
      record({ gains, sizes, heads, centres, count, budget })(backend),
    );
    backend.reset();
    for (let head = 0; head < heads; head++) {
      const used = opened(head, threshold[head]);
      assertLessOrEqual(used, budget);
      let sum = 0;
      for (let at = head * centres; at < (head + 1) * centres; at++) sum += sizes[at] * lengths[at];
      assertEquals(sum, used);
      const word = new Uint32Array(Float32Array.of(threshold[head]).buffer)[0];
      assertEquals(word & 0xffff, 0);
      const below = new Float32Array(Uint32Array.of(word - 0x10000).buffer)[0];
      assertGreater(opened(head, below), budget);
    }
  }
});

onEachBackend("openLists() counts beyond 32 bits, and equal gains together", async (backend) => {
  const heads = 2, centres = 3, count = 70;
  const gains = Float32Array.from({ length: heads * centres * count }, (_, at) => at % count === 0 ? 0 : 2.5);
  const half = gains.map((gain, at) => at % 2 === 0 ? gain : gain / 8);
  const sizes = Uint32Array.from({ length: heads * centres }, (_, at) => 2 ** 29 - at);
  for (const [given, budget] of [[gains, 2 ** 32 - 1], [half, 2 ** 32 - 1], [gains, 2 ** 30]] as const) {
    const all = record({ gains: given, sizes, heads, centres, count, budget });
    const { actual, expected } = await besideReference(backend, all);
    assertEquals(actual, expected);
    assert((actual[1] as Uint32Array).every((length) => length === 1));
  }
  // Few enough queries for all keys; and for all but those that gain nothing.
  const few = sizes.map(() => 2 ** 22);
  for (const given of [gains, half.map((gain) => gain === 2.5 ? 0 : gain)]) {
    const all = record({ gains: given, sizes: few, heads, centres, count, budget: 2 ** 32 - 1 });
    const { actual, expected } = await besideReference(backend, all);
    assertEquals(actual, expected);
    assertGreater(actual[1][0], 30);
  }
});
