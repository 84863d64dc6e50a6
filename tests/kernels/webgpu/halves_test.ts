import { assert, assertEquals, assertLess } from "@std/assert";
import { openWebGpu } from "../../../kernels/webgpu/backend.ts";
import { attendOn, checkAttend, type HostAttend } from "../../attend.ts";
import { attendKernels, webgpuTest } from "../../backends.ts";
import { normals, wordsBelow } from "../../data.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

/** A value rounded to 11 bits, as many as a half float has. */
function toHalfBits(x: number): number {
  if (x === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 10);
  return Math.round(x / unit) * unit;
}

/** A problem whose keys and values have no more bits than halves, times powers of two. */
function problem(
  [heads, queries, keys, features, valueFeatures]: readonly number[],
  { keyUnit = 1, valueUnit = 1, spread = 1 } = {},
): HostAttend {
  const key = normals(2, heads * keys * features).map((x) => keyUnit * toHalfBits(x));
  const value = normals(3, heads * keys * valueFeatures).map((x) => valueUnit * toHalfBits(x));
  return {
    ...{ heads, queries, keys, features, valueFeatures, key, value },
    query: normals(1, heads * queries * features, spread),
    scale: 1 / Math.sqrt(features) / keyUnit,
    halves: { largestKey: largestMagnitude(key), largestValue: largestMagnitude(value) },
  };
}

const shapes = [[1, 1, 1, 1, 1], [2, 70, 65, 15, 15], [1, 100, 257, 64, 64], [1, 21, 40, 128, 132]];

for (const attendKernel of attendKernels) {
  webgpuTest(
    `half floats with ${attendKernel} meet the precision rule where inputs have 11 bits`,
    async () => {
      const backend = await openWebGpu({ attendKernel });
      for (const shape of shapes) await checkAttend(backend, problem(shape), `${shape}`);
      const shape = [2, 37, 91, 16, 8];
      for (const spread of [100, 1e4]) {
        await checkAttend(backend, problem(shape, { spread }), `spread ${spread}`);
      }
      for (const [keyUnit, valueUnit] of [[2 ** 20, 2 ** -30], [2 ** -40, 2 ** 90], [1, 2 ** -80]]) {
        const scaled = problem(shape, { keyUnit, valueUnit });
        await checkAttend(backend, scaled, `keys times ${keyUnit}, values times ${valueUnit}`);
      }
      const zeros = problem(shape), none = { largestKey: 0, largestValue: 0 };
      const [key, value] = [zeros.key, zeros.value].map((values) => values.map(() => 0));
      await checkAttend(backend, { ...zeros, key, value, halves: none }, "zeros");
      await checkAttend(backend, {
        ...problem([2, 150, 77, 16, 5]),
        causal: { period: 50, offset: 20 },
        exclude: { keyBlocks: wordsBelow(4, 2 * 77, 11), blocks: 11 },
        logWeights: normals(9, 2 * 77, 3),
        blocks: 3,
      }, "every rule");
      backend.destroy();
    },
  );

  webgpuTest(
    `half floats with ${attendKernel} keep 11 bits of any input, and small values beside a large one`,
    async () => {
      const backend = await openWebGpu({ attendKernel });
      const base = problem([1, 60, 300, 16, 8]), plain = { ...base, halves: undefined };
      const shown = { ...plain, value: normals(7, 300 * 8), key: normals(8, 300 * 16) };
      const halves = { largestKey: largestMagnitude(shown.key), largestValue: largestMagnitude(shown.value) };
      const [exact] = await attendOn(backend, shown),
        [rounded] = await attendOn(backend, { ...shown, halves });
      // Logits of up to 16 move by 2^-11 of themselves, values by as much.
      assertLess(largestDifference(rounded, exact), 20 * 2 ** -11 * halves.largestValue);
      assert(largestDifference(rounded, exact) > 1e-6, "nothing was rounded");
      // The first key has a value 2^12 times as large as the others and a logit that hides it.
      const hidden = Float32Array.from({ length: 300 }, (_, at) => at === 0 ? -1e30 : 0);
      const value = base.value.map((x, at) => at < 8 ? 2 ** 12 * x : x);
      const largestValue = largestMagnitude(value), largestKey = base.halves!.largestKey;
      const beside = { ...base, value, logWeights: hidden, halves: { largestKey, largestValue } };
      await checkAttend(backend, beside, "a large value that no query sees");
      backend.destroy();
    },
  );
}

webgpuTest("half floats are right for more keys than one dispatch may take", async () => {
  const backend = await openWebGpu();
  await checkAttend(backend, problem([1, 20, 40_000, 4, 4]), "40,000 keys");
  const twice = [await attendOn(backend, problem(shapes[1])), await attendOn(backend, problem(shapes[1]))];
  assertEquals(twice[0], twice[1]);
  backend.destroy();
});
