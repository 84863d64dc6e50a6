import { assertEquals } from "@std/assert";
import { copyMagnitude, largestMagnitude, largestOfEach } from "../../../kernels/wasm/largest_magnitude.ts";
import { normals } from "../../data.ts";

const bits = (x: number) => new Int32Array(new Float32Array([x]).buffer)[0] & 0x7fffffff;

Deno.test("the largest magnitude is found wherever it stands, signed, infinite, subnormal or no number", () => {
  for (const length of [1, 3, 511, 512, 517, 16384, 16385, 40000]) {
    const places = [0, 1, length >> 1, length - 2, length - 1].filter((at) => at >= 0 && at < length);
    for (const at of places) {
      for (const x of [-7e5, Infinity, -Infinity, NaN, 2 ** 127]) {
        const data = normals(length, length);
        data[at] = x;
        assertEquals(largestMagnitude(data), Math.abs(x), `${x} at ${at} of ${length}`);
        const copy = new Float32Array(length);
        assertEquals(copyMagnitude(data, copy), Math.abs(x), `${x} at ${at} of ${length}`);
        assertEquals(copy, data);
      }
    }
  }
  assertEquals(largestMagnitude(new Float32Array(1000).fill(-0)), 0);
  assertEquals(largestMagnitude(new Float32Array(1000).fill(-1e-45)), Math.fround(1e-45));
  assertEquals(largestMagnitude(new Float32Array(0)), 0);
});

Deno.test("WebAssembly finds what a plain loop finds, in views and in shared memory", () => {
  const shared = new Float32Array(new SharedArrayBuffer(4 * 50000));
  shared.set(normals(3, 50000));
  for (const [from, to] of [[0, 50000], [1, 49999], [7, 700], [33, 20001]]) {
    const view = shared.subarray(from, to);
    assertEquals(bits(largestMagnitude(view)), largestOfEach(view));
  }
});
