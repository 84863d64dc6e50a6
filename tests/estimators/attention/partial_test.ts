import { assert, assertEquals, assertLess } from "@std/assert";
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
