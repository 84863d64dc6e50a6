import { assert } from "@std/assert";
import { areConsecutive } from "../../../kernels/webgpu/engine/subgroups.ts";

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
