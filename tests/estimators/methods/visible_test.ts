import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { approximateMethods } from "../../../estimators/methods/methods.ts";
import { coverVisible } from "../../../estimators/methods/rectangles.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { attention, type AttentionOptions, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { type DeviceKind, deviceKinds } from "../../../kernels/device_kinds.ts";
import { generalNames, rivalNames } from "../../method_names.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

const small: AttentionOptions = { bucketSize: 8, samples: 16, seed: 3 };

function random(seed: number, shape: number[]) {
  return tensor(normals(seed, shape.reduce((a, b) => a * b, 1)), shape);
}

Deno.test("coverVisible() covers every visible pair once and no other", () => {
  for (
    const [queries, keys, leaf] of [[1, 1, 4], [37, 37, 4], [37, 50, 4], [64, 64, 8], [100, 100, 1], [
      9,
      200,
      16,
    ]]
  ) {
    const problem = makeProblem(random(1, [queries, 2]), random(2, [keys, 2]), random(3, [keys, 1]), {
      causal: true,
    });
    const seen = new Uint8Array(queries * keys);
    for (const { firstQuery, endQuery, firstKey, endKey, triangular } of coverVisible(problem, leaf)) {
      for (let i = firstQuery; i < endQuery; i++) {
        const end = triangular ? Math.min(endKey, firstKey + i - firstQuery + 1) : endKey;
        for (let j = firstKey; j < end; j++) seen[i * keys + j]++;
      }
    }
    seen.forEach((count, at) => {
      const visible = at % keys <= Math.floor(at / keys) + keys - queries;
      assertEquals(count, visible ? 1 : 0, `${queries}, ${keys}, ${leaf}: pair ${at}`);
    });
  }
});

for (const method of generalNames) {
  // Rectangles are cut and merged on the host; registry_test.ts has each method on each device.
  const kinds: readonly DeviceKind[] = rivalNames.includes(method) ? ["wasm", "reference"] : deviceKinds;
  onEachDevice(
    `${method} under causal order and masks keeps constants exact and every row finite`,
    async (device) => {
      const [q, k] = [random(1, [4, 130, 8]), random(2, [2, 170, 8])];
      const value = tensor(Float32Array.from({ length: 2 * 170 * 2 }, (_, at) => [1 / 3, -5][at % 2]), [
        2,
        170,
        2,
      ]);
      const keyMask = Array.from({ length: 2 * 170 }, (_, at) => at % 170 === 0 || at % 3 > 0);
      for (const options of [{ causal: true }, { keyMask }, { causal: true, keyMask }]) {
        const { output, stats } = await attention(q, k, value, { ...small, ...options, method, device });
        assertEquals(output.shape, [4, 130, 2]);
        const off = largestDifference(
          output.data,
          Float32Array.from({ length: 4 * 130 * 2 }, (_, at) => [1 / 3, -5][at % 2]),
        );
        // Where a method has turned to exact attention, values are not centred: the sums round as exact attention's do.
        assertLessOrEqual(off, (stats.method === "exact" ? 16 : 4) * 2 ** -23 * 5);
      }
    },
    kinds,
  );

  onEachDevice(`${method} with a mask is the same method without the masked keys`, async (device) => {
    const [q, k, v] = [random(1, [2, 60, 8]), random(2, [2, 300, 8]), random(3, [2, 300, 4])];
    const keyMask = Array.from({ length: 300 }, (_, at) => at < 200);
    const first = (x: typeof k) => {
      const width = x.shape[2], data = new Float32Array(2 * 200 * width);
      for (let head = 0; head < 2; head++) {
        data.set(x.data.subarray(head * 300 * width, (head * 300 + 200) * width), head * 200 * width);
      }
      return tensor(data, [2, 200, width]);
    };
    const masked = await attention(q, k, v, { ...small, method, keyMask, device });
    const without = await attention(q, first(k), first(v), { ...small, method, device });
    assertLess(largestDifference(masked.output.data, without.output.data), 1e-5);
  }, kinds);

  onEachDevice(
    `${method} under causal order comes near exact attention, and exactly where rows are few`,
    async (device) => {
      const n = 700;
      const [q, k, v] = [random(1, [1, n, 8]), random(2, [1, n, 8]), random(3, [1, n, 4])];
      const exact = await attention(q, k, v, { method: "exact", causal: true, device });
      const near = await attention(q, k, v, { method, causal: true, bucketSize: 32, samples: 96, device });
      // Others prepare on top of their budgets.
      if (approximateMethods[method].withinBudget) {
        assert(near.stats.keyEvaluations < exact.stats.keyEvaluations);
      }
      // The first leaf, twice the budget long, is exact.
      assertLess(
        largestDifference(near.output.data.subarray(0, 256 * 4), exact.output.data.subarray(0, 256 * 4)),
        1e-5,
      );
      const worst = largestDifference(near.output.data, exact.output.data);
      assertLess(worst, 0.5 * largestMagnitude(v.data));
    },
    kinds,
  );
}
