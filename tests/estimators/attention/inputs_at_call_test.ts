/** Results are those of the values at the time of the call, whatever happens to arrays and options before it resolves. */
import { assert, assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { attention, type AttentionOptions, attentionPartial, tensor } from "../../../mod.ts";
import { releaseSnapshots, takeSnapshot } from "../../../estimators/core/snapshot.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { generalNames } from "../../method_names.ts";
import { largestDifference } from "../../precision.ts";

const takers = ["auto", "exact", ...generalNames] as const;

const sizes = { queries: 150, keys: 170, features: 8, width: 3 };

function inputs(seed: number, spread = 1) {
  const { queries, keys, features, width } = sizes;
  return {
    query: tensor(normals(seed, queries * features, spread), [queries, features]),
    key: tensor(normals(seed + 1, keys * features, spread), [keys, features]),
    value: tensor(normals(seed + 2, keys * width), [keys, width]),
  };
}

for (const method of takers) {
  onEachDevice(`${method}: what a caller writes after the call does not reach the result`, async (device) => {
    const { query, key, value } = inputs(1), budget = { bucketSize: 16, samples: 24, seed: 5 };
    for (const more of [{}, { causal: true, keyMask: new Uint8Array(sizes.keys).fill(1, 0, 160) }]) {
      const mask = (more as AttentionOptions).keyMask as Uint8Array | undefined;
      const before = await attention(query, key, value, { ...budget, ...more, method, device });
      const options: AttentionOptions = { ...budget, ...more, method, device };
      const copies = [query, key, value].map(({ data, shape }) => ({
        data: data.slice(),
        shape: [...shape],
      }));
      const keyMask = mask?.slice();
      const call = attention(copies[0], copies[1], copies[2], keyMask ? { ...options, keyMask } : options);
      for (const { data, shape } of copies) {
        data.fill(NaN);
        shape.length = 0;
      }
      keyMask?.fill(0);
      Object.assign(options, { method: "abacus", causal: 3, seed: -1, scale: NaN });
      const after = await call;
      assertEquals(after.output, before.output);
      assertEquals(after.stats.method, before.stats.method);
    }
  });
}

onEachDevice("one scratch buffer serves several calls at a time", async (device) => {
  const { query, key, value } = inputs(4), scratch = { data: value.data.slice(), shape: value.shape };
  const factors = [1, 2, 4];
  const calls = factors.map((factor) => {
    scratch.data.set(value.data.map((x) => factor * x));
    return attention(query, key, scratch, { method: "exact", device });
  });
  const [one, ...others] = (await Promise.all(calls)).map(({ output }) => output.data);
  others.forEach((output, at) => assertEquals(output, one.map((x) => factors[at + 1] * x)));
});

onEachDevice(
  "attentionPartial() takes the values at the call too, from shared memory as well",
  async (device) => {
    const { query, key, value } = inputs(7);
    const before = await attentionPartial(query, key, value, { device });
    const shared = (data: Float32Array) => {
      const copy = new Float32Array(new SharedArrayBuffer(4 * data.length));
      copy.set(data);
      return copy as unknown as Float32Array<ArrayBuffer>;
    };
    const mine = [query, key, value].map(({ data, shape }) => ({ data: shared(data), shape }));
    const call = attentionPartial(mine[0], mine[1], mine[2], { device });
    for (const { data } of mine) data.fill(Infinity);
    assertEquals(await call, before);
  },
);

Deno.test("snapshots in use never share memory, and used ones are taken again", () => {
  const snapshot = (data: Float32Array) => takeSnapshot(data).data;
  const data = normals(1, 5000), first = snapshot(data), second = snapshot(data);
  assert(first.buffer !== second.buffer);
  assertEquals([first, second], [data, data]);
  releaseSnapshots([first]);
  const third = snapshot(data.subarray(0, 4900));
  assert(third.buffer === first.buffer);
  assertEquals(third, data.subarray(0, 4900));
  assert(snapshot(data).buffer !== third.buffer);
  // A small copy does not hold on to large memory.
  releaseSnapshots([second]);
  assert(snapshot(data.subarray(0, 50)).buffer !== second.buffer);
});

onEachDevice("what a mask hides changes nothing, however large", async (device) => {
  const { query, key, value } = inputs(10),
    keyMask = Array.from({ length: sizes.keys }, (_, j) => j % 5 !== 2);
  const spoil = (rows: typeof key, x: number) => {
    const width = rows.shape[1];
    return tensor(rows.data.map((y, at) => keyMask[Math.floor(at / width)] ? y : x), rows.shape);
  };
  for (const method of takers) {
    const options = { method, keyMask, device, bucketSize: 16, samples: 24 };
    const plain = await attention(query, key, value, options);
    for (const [x, y] of [[1e29, -1e29], [0, 3e25]]) {
      const spoilt = await attention(query, spoil(key, x), spoil(value, y), options);
      assertEquals(spoilt.output, plain.output, method);
    }
  }
  const halved = { method: "exact", storage: "f16", keyMask, device } as const;
  const plain = await attention(query, key, value, halved);
  assertEquals((await attention(query, spoil(key, 7e9), spoil(value, 7e20), halved)).output, plain.output);
  await assertRejects(
    () => attention(query, spoil(key, NaN), value, halved),
    RangeError,
    "key must be finite: row 2, column 0 is NaN",
  );
});

onEachDevice("half floats of one head do not depend on the other heads", async (device) => {
  const heads = 4, shape = (rows: number, width: number) => [heads, rows, width];
  const units = [1, 3e14, 2e-39, 0];
  const scaled = (seed: number, rows: number, width: number, factors: readonly number[]) =>
    tensor(
      normals(seed, heads * rows * width).map((x, at) => x * factors[Math.floor(at / (rows * width))]),
      shape(rows, width),
    );
  const query = scaled(1, 20, 6, [1, 1, 1, 1]), key = scaled(2, 33, 6, [1, 2 ** -40, 1, 2 ** 12]);
  const value = scaled(3, 33, 5, units), options = { method: "exact", device } as const;
  const exact = await attention(query, key, value, options);
  const halved = await attention(query, key, value, { ...options, storage: "f16" });
  units.forEach((unit, head) => {
    const part = (data: Float32Array) => data.subarray(head * 100, (head + 1) * 100);
    const off = largestDifference(part(halved.output.data), part(exact.output.data));
    // Values of 2e-39 have 20 bits left, which devices may round away in f32 themselves. Keys of 2^12 move logits by 2^-11 of some 2^14.
    assertLessOrEqual(off, head === 3 ? 0 : 0.02 * unit, `head ${head}`);
  });
});
