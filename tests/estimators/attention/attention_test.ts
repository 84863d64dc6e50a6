import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { attention, type AttentionOptions, type Device, type Tensor, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { largestDifference, largestMagnitude } from "../../precision.ts";

const unit = 2 ** -23;

function random(seed: number, shape: number[], spread = 1): Tensor {
  return tensor(normals(seed, shape.reduce((a, b) => a * b, 1), spread), shape);
}

function frobeniusError(actual: Tensor, expected: Tensor): number {
  let difference = 0, size = 0;
  for (let at = 0; at < expected.data.length; at++) {
    difference += (actual.data[at] - expected.data[at]) ** 2;
    size += expected.data[at] ** 2;
  }
  return Math.sqrt(difference / size);
}

const budget: AttentionOptions = { method: "kdeformer-practical", bucketSize: 16, samples: 32, seed: 11 };

async function run(
  device: Device,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions,
): Promise<Tensor> {
  return (await attention(q, k, v, { ...options, device })).output;
}

onEachDevice("attention() of a constant value is that constant, up to rounding", async (device) => {
  const value = tensor(Float32Array.from({ length: 90 * 3 }, (_, at) => [1 / 3, -7, 0][at % 3]), [90, 3]);
  const output = await run(device, random(1, [70, 8], 5), random(2, [90, 8]), value, budget);
  output.data.forEach((x, at) => {
    const constant = [1 / 3, -7, 0][at % 3];
    assertLessOrEqual(Math.abs(x - constant), 16 * unit * Math.abs(constant), `${at}`);
  });
});

onEachDevice("half floats change nothing in inputs of 11 bits, and are told of", async (device) => {
  // Eighths up to 16, which halves hold.
  const eighths = (seed: number, shape: number[]) => {
    const { data } = random(seed, shape, 2);
    return tensor(data.map((x) => Math.max(-16, Math.min(16, Math.round(8 * x) / 8))), shape);
  };
  const [q, k, v] = [random(1, [2, 41, 15]), eighths(2, [2, 67, 15]), eighths(3, [2, 67, 9])];
  const exact = await attention(q, k, v, { method: "exact", device });
  const halved = await attention(q, k, v, { method: "exact", storage: "f16", device });
  const error = largestDifference(halved.output.data, exact.output.data);
  assertLessOrEqual(error, 16 * unit * largestMagnitude(v.data));
  assertEquals(exact.stats.storage, "f32");
  assertEquals(halved.stats.storage, device.kind === "webgpu" ? "f16" : "f32");
});

onEachDevice("kdeformer-practical with one block is exact attention", async (device) => {
  const [q, k, v] = [random(1, [2, 41, 15], 3), random(2, [2, 67, 15]), random(3, [2, 67, 9])];
  const exact = await run(device, q, k, v, { method: "exact" });
  const oneBlock = await run(device, q, k, v, { ...budget, bucketSize: 67 });
  assertLessOrEqual(largestDifference(oneBlock.data, exact.data), 16 * unit * largestMagnitude(v.data));
});

onEachDevice("kdeformer-practical takes every small and odd shape", async (device) => {
  for (
    const [queries, keys, features, width] of [[1, 1, 1, 1], [1, 50, 3, 2], [50, 1, 3, 2], [7, 130, 15, 33], [
      129,
      40,
      100,
      1,
    ]]
  ) {
    const [q, k, v] = [random(1, [queries, features]), random(2, [keys, features]), random(3, [keys, width])];
    const { output, stats } = await attention(q, k, v, { ...budget, bucketSize: 4, samples: 3, device });
    assertEquals(output.shape, [queries, width]);
    assert(output.data.every(Number.isFinite), `${queries}, ${keys}`);
    assertEquals(stats.method, keys === 1 ? "exact" : "kdeformer-practical");
  }
});

onEachDevice("methods ignore a shift of all keys", async (device) => {
  const [q, k, v] = [random(1, [96, 16]), random(2, [128, 16]), random(3, [128, 8])];
  const shifted = tensor(k.data.map((x, at) => x + 3 * Math.cos(at % 16)), k.shape);
  for (const options of [{ method: "exact" } as const, budget]) {
    const difference = largestDifference(
      (await run(device, q, k, v, options)).data,
      (await run(device, q, shifted, v, options)).data,
    );
    // Logits of size 10 carry about 10 units of rounding each.
    assertLess(difference, 1e-4, options.method);
  }
});

onEachDevice("methods follow shift and scale of the values", async (device) => {
  const [q, k, v] = [random(1, [96, 16]), random(2, [128, 16]), random(3, [128, 8])];
  const moved = tensor(v.data.map((x) => 64 * x + 8), v.shape);
  for (const options of [{ method: "exact" } as const, budget]) {
    const plain = await run(device, q, k, v, options);
    const expected = plain.data.map((x) => 64 * x + 8);
    assertLess(
      largestDifference((await run(device, q, k, moved, options)).data, expected),
      64 * 1e-5,
      options.method,
    );
  }
});

onEachDevice("exact attention ignores the order of keys and a joint rotation", async (device) => {
  const [q, k, v] = [random(1, [60, 16]), random(2, [90, 16]), random(3, [90, 8])];
  const reversed = (x: Tensor) => {
    const width = x.shape[1];
    return tensor(x.data.map((_, at) => x.data[(89 - Math.floor(at / width)) * width + at % width]), x.shape);
  };
  // A rotation of coordinates 2t and 2t + 1 by an angle.
  const rotated = (x: Tensor) =>
    tensor(
      x.data.map((value, at) =>
        at % 2 ? 0.6 * value + 0.8 * x.data[at - 1] : 0.6 * value - 0.8 * x.data[at + 1]
      ),
      x.shape,
    );
  const plain = (await run(device, q, k, v, { method: "exact" })).data;
  assertLess(
    largestDifference((await run(device, q, reversed(k), reversed(v), { method: "exact" })).data, plain),
    4e-6,
  );
  assertLess(
    largestDifference((await run(device, rotated(q), rotated(k), v, { method: "exact" })).data, plain),
    4e-6,
  );
});

onEachDevice("a head's output does not depend on the other heads", async (device) => {
  const [q, k, v] = [random(1, [3, 64, 8]), random(2, [3, 100, 8]), random(3, [3, 100, 5])];
  const otherKeys = tensor(k.data.map((x, at) => at < 2 * 800 ? x : -x), k.shape);
  for (const options of [{ method: "exact" } as const, budget]) {
    const one = await run(device, q, k, v, options), other = await run(device, q, otherKeys, v, options);
    assertEquals(one.data.subarray(0, 2 * 320), other.data.subarray(0, 2 * 320), options.method);
    assert(largestDifference(one.data.subarray(640), other.data.subarray(640)) > 0);
  }
});

onEachDevice("exact attention of a query does not depend on the order of queries", async (device) => {
  const [q, k, v] = [random(1, [50, 8]), random(2, [70, 8]), random(3, [70, 5])];
  const reversed = tensor(q.data.map((_, at) => q.data[(49 - Math.floor(at / 8)) * 8 + at % 8]), q.shape);
  const plain = await run(device, q, k, v, { method: "exact" });
  const other = await run(device, reversed, k, v, { method: "exact" });
  for (let row = 0; row < 50; row++) {
    assertLess(
      largestDifference(
        plain.data.subarray(row * 5, row * 5 + 5),
        other.data.subarray((49 - row) * 5, (50 - row) * 5),
      ),
      2e-6,
    );
  }
});

onEachDevice("grouped-query heads attend to the keys of their group", async (device) => {
  const [q, k, v] = [random(1, [2, 6, 20, 8]), random(2, [2, 3, 30, 8]), random(3, [2, 3, 30, 4])];
  for (const causal of [false, true]) {
    const grouped = await run(device, q, k, v, { method: "exact", causal });
    assertEquals(grouped.shape, [2, 6, 20, 4]);
    for (let head = 0; head < 12; head++) {
      const part = (x: Tensor, at: number) => {
        const [rows, width] = x.shape.slice(-2);
        return tensor(x.data.slice(at * rows * width, (at + 1) * rows * width), [rows, width]);
      };
      const alone = await run(device, part(q, head), part(k, head >> 1), part(v, head >> 1), {
        method: "exact",
        causal,
      });
      assertLess(largestDifference(part(grouped, head).data, alone.data), 2e-6, `head ${head}`);
    }
  }
});

onEachDevice("a key mask hides keys as if they were not there", async (device) => {
  const [q, k, v] = [random(1, [2, 20, 8]), random(2, [2, 30, 8]), random(3, [2, 30, 4])];
  const keyMask = Array.from({ length: 30 }, (_, at) => at < 17);
  const first = (x: Tensor) => {
    const width = x.shape[2];
    return tensor(
      Float32Array.from({ length: 2 * 17 * width }, (_, at) => {
        const head = Math.floor(at / (17 * width));
        return x.data[head * 30 * width + at % (17 * width)];
      }),
      [2, 17, width],
    );
  };
  const masked = await run(device, q, k, v, { method: "exact", keyMask });
  assertLess(
    largestDifference(masked.data, (await run(device, q, first(k), first(v), { method: "exact" })).data),
    2e-6,
  );
});

onEachDevice("large logits give finite, right answers", async (device) => {
  const [q, k, v] = [random(1, [64, 16], 2500), random(2, [200, 16]), random(3, [200, 8])];
  const exact = await run(device, q, k, v, { method: "exact" });
  const approximate = await run(device, q, k, v, budget);
  assert(exact.data.every(Number.isFinite) && approximate.data.every(Number.isFinite));
  assertLessOrEqual(largestMagnitude(approximate.data), 1.0001 * largestMagnitude(v.data));
});

onEachDevice("a key that is heavy for every query is found outside its block", async (device) => {
  const keys = 2048;
  const q = tensor(normals(1, 256 * 16, 0.3).map((x, at) => at % 16 === 0 ? 4 : x), [256, 16]);
  const k = tensor(normals(2, keys * 16, 0.3), [keys, 16]);
  k.data[777 * 16] = 12;
  const v = random(3, [keys, 8]);
  const error = frobeniusError(
    await run(device, q, k, v, { ...budget, bucketSize: 32, samples: 64 }),
    await run(device, q, k, v, { method: "exact" }),
  );
  assertLess(error, 0.05);
});

onEachDevice("more samples give smaller errors", async (device) => {
  const [q, k, v] = [random(1, [256, 16]), random(2, [1024, 16]), random(3, [1024, 8])];
  const exact = await run(device, q, k, v, { method: "exact" });
  const errorAt = async (samples: number) => {
    let total = 0;
    for (let seed = 0; seed < 5; seed++) {
      total += frobeniusError(await run(device, q, k, v, { ...budget, samples, seed }), exact) ** 2;
    }
    return Math.sqrt(total / 5);
  };
  // Sixteen times the samples: a quarter of the error, up to the spread of five seeds.
  const ratio = await errorAt(32) / await errorAt(512);
  assertGreater(ratio, 2.5);
});

onEachDevice("the seed decides the result", async (device) => {
  const [q, k, v] = [random(1, [64, 16]), random(2, [300, 16]), random(3, [300, 8])];
  const first = await run(device, q, k, v, budget);
  assertEquals((await run(device, q, k, v, budget)).data, first.data);
  assert(largestDifference((await run(device, q, k, v, { ...budget, seed: 12 })).data, first.data) > 1e-3);
});

onEachDevice("every device gives the reference's result, up to rounding", async (device) => {
  const [q, k, v] = [random(1, [2, 300, 16]), random(2, [2, 500, 16]), random(3, [2, 500, 8])];
  for (const seed of [1, 2, 2 ** 40 + 5]) {
    const options = { ...budget, seed };
    const expected = await attention(q, k, v, { ...options, device: "reference" });
    const actual = await attention(q, k, v, { ...options, device });
    assertLess(largestDifference(actual.output.data, expected.output.data), 2e-5);
    assertEquals(actual.stats.keyEvaluations, expected.stats.keyEvaluations);
  }
});

onEachDevice("an empty budget left after probing still samples one key", async (device) => {
  const { output } = await attention(random(1, [1, 4]), random(2, [500, 4]), random(3, [500, 2]), {
    ...budget,
    samples: 1,
    device,
  });
  assert(output.data.every(Number.isFinite));
});
