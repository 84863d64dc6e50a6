import { assert } from "@std/assert";
import { areConsecutive, areExchanged } from "../../../kernels/webgpu/engine/subgroups.ts";

/** What subgroups.wgsl writes where lane l is lane `order(l)` of all, and every `size` of these are a subgroup. */
function lanesOf(count: number, size: number, order = (lane: number) => lane): number[] {
  const subgroupOf = (lane: number) => Math.floor(order(lane) / size);
  const lanes = Array.from({ length: count }, (_, lane) => lane);
  return lanes.flatMap((lane) => {
    const members = lanes.filter((other) => subgroupOf(other) === subgroupOf(lane));
    const below = members.filter((other) => order(other) < order(lane)).length;
    return [members.length, below, Math.min(...members), Math.max(...members)];
  });
}

Deno.test("areConsecutive() takes subgroups of any size in the order of the lanes", () => {
  for (const size of [1, 4, 8, 32, 64, 128]) assert(areConsecutive(lanesOf(128, size)), `size ${size}`);
  assert(areConsecutive(lanesOf(16, 32)), "a subgroup that the workgroup does not fill");
});

Deno.test("areExchanged() takes what lanes of any size exchange, and refuses what comes from another lane", () => {
  const exchangedBy = (other: (lane: number, apart: number) => number) =>
    Array.from({ length: 64 }, (_, lane) => [1, 2, 3, 4, 8, 12].map((apart) => other(lane, apart))).flat();
  const right = exchangedBy((lane, apart) => lane ^ apart);
  for (const size of [4, 8, 16, 32, 64]) assert(areExchanged(right, size), `size ${size}`);
  // What lies beyond a subgroup of four lanes, or of eight, is not asked for.
  const narrow = (size: number) => exchangedBy((lane, apart) => apart < size ? lane ^ apart : 0);
  for (const size of [4, 8]) {
    assert(areExchanged(narrow(size), size), `size ${size}`);
    assert(!areExchanged(narrow(size), 2 * size), `size ${2 * size}`);
  }
  const refused: Record<string, number[]> = {
    "lanes that keep their own": exchangedBy((lane) => lane),
    "quads that stand the other way": exchangedBy((lane, apart) => lane ^ (apart < 3 ? 3 - apart : apart)),
    "a device that computes nothing": exchangedBy(() => 0),
    "one wrong lane": right.map((word, at) => at === 100 ? word + 1 : word),
  };
  for (const [what, words] of Object.entries(refused)) assert(!areExchanged(words, 32), what);
});

Deno.test("areConsecutive() refuses other orders, sizes that differ, and zeros", () => {
  const refused: Record<string, number[]> = {
    "interleaved lanes": lanesOf(64, 32, (lane) => 32 * (lane % 2) + Math.floor(lane / 2)),
    "lanes in reverse": lanesOf(64, 32, (lane) => 63 - lane),
    "a tiled order": lanesOf(
      64,
      16,
      (lane) => 16 * Math.floor(lane % 8 / 4) + 4 * Math.floor(lane / 8) + lane % 4,
    ),
    "a last subgroup with fewer lanes": lanesOf(48, 32),
    "a device that computes nothing": Array.from({ length: 256 }, () => 0),
  };
  for (const [what, words] of Object.entries(refused)) assert(!areConsecutive(words), what);
});
