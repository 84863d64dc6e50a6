import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import {
  robustAttention,
  type RobustAttentionOptions,
  robustWeights,
  type Tensor,
  tensor,
} from "../../../mod.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { largestDifference } from "../../precision.ts";

const HEADS = 2, QUERIES = 9, KEYS = 60, FEATURES = 5, WIDTH = 3, FAR = [7, 31, 59];
const q = tensor(normals(1, HEADS * QUERIES * FEATURES), [HEADS, QUERIES, FEATURES]);
const k = tensor(normals(2, HEADS * KEYS * FEATURES), [HEADS, KEYS, FEATURES]);
const v = tensor(normals(3, HEADS * KEYS * WIDTH), [HEADS, KEYS, WIDTH]);

/** The tensor with some rows of each head far out, in one direction. */
function spoil({ data, shape }: Tensor, rows: readonly number[], length: number): Tensor {
  const [, count, width] = shape, spoilt = data.slice();
  for (let head = 0; head < HEADS; head++) {
    for (const row of rows) {
      spoilt.fill(length, (head * count + row) * width, (head * count + row + 1) * width);
    }
  }
  return tensor(spoilt, shape);
}

/** Attention of a head to keys with weights, over the marginal ones where there are some, by the formula. */
function expectedOutput(keys: Tensor, values: Tensor, weights: number[][], below = weights): number[] {
  const scale = 1 / Math.sqrt(FEATURES), output: number[] = [];
  for (let row = 0; row < HEADS * QUERIES; row++) {
    const head = Math.floor(row / QUERIES), sums = new Array<number>(WIDTH).fill(0);
    let total = 0;
    for (let j = 0; j < KEYS; j++) {
      let logit = 0;
      for (let t = 0; t < FEATURES; t++) {
        logit += scale * q.data[row * FEATURES + t] * keys.data[(head * KEYS + j) * FEATURES + t];
      }
      total += below[head][j] * Math.exp(logit);
      for (let c = 0; c < WIDTH; c++) {
        sums[c] += weights[head][j] * Math.exp(logit) * values.data[(head * KEYS + j) * WIDTH + c];
      }
    }
    output.push(...sums.map((sum) => sum / total));
  }
  return output;
}

const middle = (list: number[]) => list.toSorted((a, b) => a - b)[(list.length - 1) >> 1];
const meanOf = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;

/** Weights of each head from the definitions, for as many keys as all pairs are looked at. */
function expectedWeights(parts: readonly Tensor[], weigh: (means: number[]) => number[]): number[][] {
  return Array.from({ length: HEADS }, (_, head) => {
    const squared = ({ data, shape: [, , width] }: Tensor, i: number, j: number) => {
      let sum = 0;
      for (let t = 0; t < width; t++) {
        sum += (data[(head * KEYS + i) * width + t] - data[(head * KEYS + j) * width + t]) ** 2;
      }
      return sum;
    };
    const pairs = Array.from({ length: KEYS }, (_, i) => Array.from({ length: i }, (_, j) => [i, j])).flat();
    const units = parts.map((part) => middle(pairs.map(([i, j]) => squared(part, i, j))));
    const joint = (i: number, j: number) =>
      parts.reduce((sum, part, at) => sum + squared(part, i, j) / units[at], 0);
    const bandwidth = middle(pairs.map(([i, j]) => joint(i, j)));
    return weigh(Array.from(
      { length: KEYS },
      (_, i) => meanOf(Array.from({ length: KEYS }, (_, j) => Math.exp(-joint(i, j) / (2 * bandwidth)))),
    ));
  });
}

const distanceOf = (mean: number, means: number[]) => Math.sqrt(1 - 2 * mean + meanOf(means));

function huber(means: number[]): number[] {
  const t = means.map((mean) => distanceOf(mean, means)), sorted = t.toSorted((a, b) => a - b);
  const a = (sorted[KEYS / 2 - 1] + sorted[KEYS / 2]) / 2;
  return t.map((x) => Math.min(1, a / x));
}

function hampel(means: number[]): number[] {
  const t = means.map((mean) => distanceOf(mean, means)), sorted = t.toSorted((a, b) => a - b);
  const b = Math.max(sorted[KEYS - 1 - KEYS / 10], distanceOf(0.2, means)),
    c = Math.max(b * (1 + 2 ** -10), distanceOf(0.1, means));
  return t.map((x) => x <= b ? 1 : x < c ? b * (c - x) / ((c - b) * x) : 0);
}

onEachDevice("robust attention is what its formulas say", async (device) => {
  const keys = spoil(k, FAR, 9), values = spoil(v, FAR, -20);
  const parts = { joint: [keys, values], keys: [keys] };
  for (const density of ["joint", "keys"] as const) {
    for (const [weights, weigh] of [["hampel", hampel], ["huber", huber]] as const) {
      const expected = expectedWeights(parts[density], weigh);
      const found = await robustAttention(q, keys, values, { device, weights, density });
      assertLess(largestDifference(found.weights.data, expected.flat()), 1e-5);
      // Values are up to 20.
      assertLess(largestDifference(found.output.data, expectedOutput(keys, values, expected)), 1e-4);
      assertEquals(found.stats.kernelEvaluations, HEADS * KEYS ** 2);
      assertEquals(found.stats.keyEvaluations, HEADS * QUERIES * KEYS);
      assertEquals(found.stats.rejected, expected.flat().filter((weight) => weight === 0).length);
    }
  }
});

onEachDevice(
  "separate densities are the ratio of the paper, which is not shift equivariant",
  async (device) => {
    const ofMeanOne = (weights: number[][]) =>
      weights.map((own) => own.map((weight) => weight / meanOf(own)));
    const keys = spoil(k, FAR, 9), values = spoil(v, FAR, -20);
    const above = ofMeanOne(expectedWeights([keys, values], huber)),
      below = ofMeanOne(expectedWeights([keys], huber));
    const options = { device, weights: "huber", density: "separate" } as const;
    const { output } = await robustAttention(q, keys, values, options);
    const expected = expectedOutput(keys, values, above, below).map((x, at) => {
      const head = Math.floor(at / (QUERIES * WIDTH)), column = at % WIDTH;
      const own = Array.from({ length: KEYS }, (_, j) => values.data[(head * KEYS + j) * WIDTH + column]);
      return Math.max(Math.min(0, ...own), Math.min(Math.max(0, ...own), x));
    });
    assertLess(largestDifference(output.data, expected), 1e-4);
    const moved = tensor(values.data.map((x) => x + 100), values.shape);
    const shift = async (given: RobustAttentionOptions) => {
      const one = await robustAttention(q, keys, values, given),
        other = await robustAttention(q, keys, moved, given);
      return largestDifference(other.output.data, one.output.data.map((x) => x + 100));
    };
    assertGreater(await shift(options), 0.1);
    assertLess(await shift({ ...options, density: "joint" }), 1e-3);
  },
);

onEachDevice("far keys and far values weigh nothing by Hampel's weights", async (device) => {
  for (
    const [keys, values] of [[spoil(k, FAR, 9), v], [k, spoil(v, FAR, 50)], [
      spoil(k, FAR, -9),
      spoil(v, FAR, 9),
    ]]
  ) {
    const { weights, stats } = await robustAttention(q, keys, values, { device });
    assertEquals(weights.shape, [HEADS, KEYS]);
    weights.data.forEach((weight, at) => assertEquals(weight, FAR.includes(at % KEYS) ? 0 : 1));
    assertEquals(stats.rejected, HEADS * FAR.length);
  }
});

onEachDevice(
  "where more keys are far out than there may be outliers, it is no sign of one",
  async (device) => {
    const many = Array.from({ length: 12 }, (_, at) => 5 * at);
    const scattered = tensor(
      k.data.map((x, at) => many.includes(Math.floor(at / FEATURES) % KEYS) ? 30 * x : x),
      k.shape,
    );
    const few = await robustAttention(q, scattered, v, { device, outlierFraction: 0.1 });
    few.weights.data.forEach((weight) => assertGreater(weight, 0.99));
    const enough = await robustAttention(q, scattered, v, { device, outlierFraction: 0.2 });
    enough.weights.data.forEach((weight, at) => many.includes(at % KEYS) && assertEquals(weight, 0));
  },
);

onEachDevice("hidden keys have no part, whatever they hold", async (device) => {
  const hidden = [0, 3, 4, 17, 40, 41, 42, 43],
    mask = Array.from({ length: KEYS }, (_, j) => !hidden.includes(j));
  const left = ({ data, shape: [, , width] }: Tensor) =>
    tensor(data.filter((_, at) => mask[Math.floor(at / width) % KEYS]), [HEADS, KEYS - hidden.length, width]);
  for (const weights of robustWeights) {
    const without = await robustAttention(q, left(k), left(v), { device, weights });
    for (const length of [0, 1e6]) {
      const keys = spoil(k, hidden, length), values = spoil(v, hidden, length);
      const masked = await robustAttention(q, keys, values, { device, weights, keyMask: mask });
      assertLess(largestDifference(masked.output.data, without.output.data), 2e-5, weights);
      hidden.forEach((j) => assertEquals([masked.weights.data[j], masked.weights.data[KEYS + j]], [0, 0]));
      assertEquals(masked.stats.rejected, without.stats.rejected);
    }
  }
});

onEachDevice("one key, equal keys, equal values, and queries that share key heads", async (device) => {
  const one = tensor([3, -2, 8], [1, 1, 3]);
  for (const weights of robustWeights) {
    const single = await robustAttention(tensor([1, 2], [1, 1, 2]), tensor([4, 5], [1, 1, 2]), one, {
      device,
      weights,
    });
    assertEquals([...single.output.data, ...single.weights.data], [3, -2, 8, 1]);
    const equal = tensor(k.data.map((_, at) => at % FEATURES), k.shape);
    const same = tensor(v.data.map((_, at) => [3, -2, 8][at % WIDTH]), v.shape);
    for (const [keys, values] of [[equal, same], [equal, v], [k, same]]) {
      const { output, weights: found } = await robustAttention(q, keys, values, { device, weights });
      assert(output.data.every(Number.isFinite));
      if (values !== same) continue;
      assertLess(largestDifference(output.data, output.data.map((_, at) => [3, -2, 8][at % WIDTH])), 1e-5);
      if (keys === equal && weights !== "median-of-means") {
        assert(found.data.every((weight) => weight === 1), weights);
      }
    }
    const grouped = tensor([...q.data, ...q.data], [2 * HEADS, QUERIES, FEATURES]);
    const { output, weights: perKey } = await robustAttention(grouped, k, v, { device, weights });
    assertEquals(output.shape, [2 * HEADS, QUERIES, WIDTH]);
    assertEquals(perKey.shape, [HEADS, KEYS]);
  }
});

onEachDevice("logits of 1e5, values of 1e29 and rows at 1e29 give finite outputs", async (device) => {
  const times = ({ data, shape }: Tensor, factor: number) => tensor(data.map((x) => x * factor), shape);
  for (const weights of robustWeights) {
    const huge = await robustAttention(times(q, 300), times(k, 300), times(v, 1e28), { device, weights });
    assert(huge.output.data.every(Number.isFinite));
    const apart = await robustAttention(times(q, 1e-3), spoil(k, [5], 1e29), spoil(v, [9], 1e29), {
      device,
      weights,
    });
    assert(apart.output.data.every(Number.isFinite));
    if (weights === "hampel") assertEquals([5, 9].map((j) => apart.weights.data[j]), [0, 0]);
  }
});

onEachDevice("weights heed neither the scale of keys and values nor where they lie", async (device) => {
  const keys = spoil(k, FAR, 4), values = spoil(v, FAR, 3);
  for (const weights of ["hampel", "huber", "spkde"] as const) {
    const usual = await robustAttention(q, keys, values, { device, weights });
    const other = await robustAttention(
      q,
      tensor(keys.data.map((x) => 256 * x + 64), keys.shape),
      tensor(values.data.map((x) => x / 1024 - 2), values.shape),
      { device, weights, scale: 1e-3 },
    );
    assertLess(largestDifference(other.weights.data, usual.weights.data), 1e-3, weights);
  }
});

onEachDevice("sampled keys stand for all, and all of them are exact", async (device) => {
  const keys = spoil(k, FAR, 9), exact = await robustAttention(q, keys, v, { device, weights: "huber" });
  const all = await robustAttention(q, keys, v, { device, weights: "huber", samples: KEYS });
  assertEquals(all.weights.data, exact.weights.data);
  const few = await robustAttention(q, keys, v, { device, weights: "huber", samples: 30 });
  assertEquals(few.stats.kernelEvaluations, HEADS * KEYS * 30);
  assertGreater(largestDifference(few.weights.data, exact.weights.data), 0);
  assertLess(largestDifference(few.weights.data, exact.weights.data), 0.2);
});

onEachDevice(
  "the same seed gives the same bits, and another one others where something is drawn",
  async (device) => {
    for (const given of [{ weights: "median-of-means" }, { weights: "huber", samples: 20 }] as const) {
      const [first, second, other] = await Promise.all(
        [5, 5, 6].map((seed) => robustAttention(q, k, v, { device, seed, ...given })),
      );
      assertEquals(first.output.data, second.output.data);
      assertEquals(first.stats.seed, 5);
      assertGreater(largestDifference(first.output.data, other.output.data), 0);
    }
  },
);

const refusals: readonly [options: Record<string, unknown>, text: string][] = [
  [{ causal: true }, "causal"],
  [{ weights: "tukey" }, "weights must be one of hampel, huber, spkde, median-of-means"],
  [{ outlierFraction: 0.5 }, "outlierFraction must be a number above 0 and below 0.5: current value is 0.5"],
  [{ samples: 1 }, "samples must be an integer from 2 to"],
  [
    { weights: "huber", outlierFraction: 0.1 },
    "outlierFraction is for weights hampel, spkde, median-of-means",
  ],
  [
    { weights: "spkde", samples: 9 },
    "samples is for weights hampel, huber: current value of weights is spkde",
  ],
  [{ weights: "median-of-means", density: "joint" }, "density is for weights hampel, huber, spkde"],
  [{ thresholds: "percentiles", outlierFraction: 0.1 }, 'thresholds "percentiles" take no outlierFraction'],
  [{ keyMask: new Array(KEYS).fill(0) }, "keyMask must leave at least one key"],
];
for (const [options, text] of refusals) {
  Deno.test(`robustAttention() refuses ${JSON.stringify(options).slice(0, 60)}`, async () => {
    const given = { device: "reference", ...options } as RobustAttentionOptions;
    await assertRejects(() => robustAttention(q, k, v, given), Error, text);
  });
}

Deno.test("robustAttention() names tensor, place and value of bad input", async () => {
  const bad = tensor(k.data.with(7, NaN), k.shape);
  await assertRejects(
    () => robustAttention(q, bad, v, { device: "reference" }),
    RangeError,
    "key must be finite: row 1, column 2 of head 0 is NaN",
  );
});
