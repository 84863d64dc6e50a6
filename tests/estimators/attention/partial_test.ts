import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { attention, attentionPartial, mergePartials, type Tensor, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { largestDifference } from "../../precision.ts";

const q = tensor(normals(1, 2 * 40 * 8, 3), [2, 40, 8]);
const k = tensor(normals(2, 2 * 100 * 8), [2, 100, 8]);
const v = tensor(normals(3, 2 * 100 * 5), [2, 100, 5]);

function keysFrom(x: Tensor, start: number, end: number): Tensor {
  const width = x.shape[2], size = (end - start) * width;
  const data = Float32Array.from(
    { length: 2 * size },
    (_, at) => x.data[(Math.floor(at / size) * 100 + start) * width + at % size],
  );
  return tensor(data, [2, end - start, width]);
}

onEachDevice("mergePartials() of shards is attention over all keys", async (device) => {
  for (const causal of [false, true]) {
    const shards = await Promise.all(
      [[0, 1], [1, 64], [64, 100]].map(([start, end]) =>
        attentionPartial(q, keysFrom(k, start, end), keysFrom(v, start, end), {
          device,
          causalOffset: causal ? 100 - 40 - start : undefined,
        })
      ),
    );
    const merged = mergePartials(shards);
    const { output } = await attention(q, k, v, { method: "exact", device, causal });
    assertEquals(merged.output.shape, [2, 40, 5]);
    assertEquals(merged.logSumExp.shape, [2, 40]);
    assertLess(largestDifference(merged.output.data, output.data), 3e-6);
  }
});

onEachDevice("attentionPartial() of a shard that no query sees is empty", async (device) => {
  const empty = await attentionPartial(q, k, v, { device, causalOffset: -100 });
  assert(empty.logSumExp.data.every((sum) => sum === -Infinity));
  assert(empty.output.data.every((x) => x === 0));
  const full = await attentionPartial(q, k, v, { device });
  assertEquals(mergePartials([empty, full]).output.data, full.output.data);
  assertEquals(mergePartials([empty, empty]).logSumExp.data, empty.logSumExp.data);
});

onEachDevice("attentionPartial() takes any integer for an offset", async (device) => {
  const none = await attentionPartial(q, k, v, { device, causalOffset: -40 });
  const every = await attentionPartial(q, k, v, { device });
  for (const far of [2 ** 31, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER, 1e300]) {
    assertEquals(await attentionPartial(q, k, v, { device, causalOffset: far }), every, `${far}`);
    assertEquals(await attentionPartial(q, k, v, { device, causalOffset: -far }), none, `${-far}`);
  }
  assertEquals(await attentionPartial(q, k, v, { device, causalOffset: 99 }), every);
});

Deno.test("mergePartials() is right at any size of sums and values", () => {
  const part = (outputs: number[], sums: number[]) => ({
    output: tensor(outputs, [sums.length, 1]),
    logSumExp: tensor(sums, [sums.length]),
  });
  const merged = mergePartials([
    part([1, 3e38, 5, -3e38, 0], [1e30, -3e38, 80, 0, -Infinity]),
    part([2, 3e38, 9, 3e38, 7], [-1e30, -3e38, 80, 0, 2e38]),
  ]);
  assertEquals(merged.output.data, Float32Array.of(1, 3e38, 7, 0, 7));
  assertEquals(merged.logSumExp.data, Float32Array.of(1e30, -3e38, 80 + Math.LN2, Math.LN2, 2e38));
});

Deno.test("mergePartials() refuses parts that are none, by name", () => {
  const output = tensor([1, 2, 3, 4, 5, 6], [3, 2]), logSumExp = tensor([0, 1, 2], [3]);
  const good = { output, logSumExp };
  const refuse = (part: unknown, type: new () => Error, text: string) =>
    assertThrows(() => mergePartials([good, part as typeof good]), type, text);
  refuse({ output, logSumExp: tensor([0, 1], [2]) }, TypeError, "output is [3, 2], logSumExp is [2]");
  refuse({ output, logSumExp: tensor([0, NaN, 2], [3]) }, RangeError, "partials[1].logSumExp must be finite");
  refuse({ output, logSumExp: tensor([0, 1, Infinity], [3]) }, RangeError, "entry 2 is Infinity");
  const spoilt = tensor([1, 2, 3, NaN, 5, 6], [3, 2]);
  refuse(
    { output: spoilt, logSumExp },
    RangeError,
    "partials[1].output must be finite: row 1, column 1 is NaN",
  );
  refuse({ output }, TypeError, "Cannot read partials[1].logSumExp: data must be a Float32Array");
  refuse(output, TypeError, "Cannot read partials[1].output");
});
