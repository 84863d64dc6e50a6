import { runJob } from "../../../kernels/device.ts";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { attention, attentionPartial, mergePartials, tensor } from "../../../mod.ts";
import { centre } from "../../../estimators/core/centred.ts";
import { makeProblem } from "../../../estimators/core/problem.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";
import { assertPrecise, largestDifference } from "../../precision.ts";
import { float64Heads } from "../certified/float64_heads.ts";

const f = Math.fround, queries = 40, keys = 110, features = 24, columns = 7;
const value = normals(3, keys * columns);
/** Standard normal rows about a vector of the length of `offset` per feature. */
const about = (seed: number, count: number, offset: number) =>
  normals(seed, count * features).map((x, at) => x + offset * Math.sin(1 + at % features));

/** Attention by the formula in f32, the keys first moved by their mean in float64: what centring aims at. */
function plainCentred(query: Float32Array, key: Float32Array): Float32Array {
  const mean = new Float64Array(features), output = new Float32Array(queries * columns);
  key.forEach((x, at) => mean[at % features] += x / keys);
  const moved = key.map((x, at) => x - mean[at % features]), scale = f(1 / Math.sqrt(features));
  for (let i = 0; i < queries; i++) {
    const logits = new Float32Array(keys), sums = new Float32Array(columns);
    for (let j = 0; j < keys; j++) {
      let product = 0;
      for (let t = 0; t < features; t++) {
        product = f(product + f(query[i * features + t] * moved[j * features + t]));
      }
      logits[j] = f(product * scale);
    }
    const largest = logits.reduce((a, b) => Math.max(a, b));
    let total = 0;
    for (let j = 0; j < keys; j++) {
      const weight = f(Math.exp(f(logits[j] - largest)));
      total = f(total + weight);
      for (let c = 0; c < columns; c++) sums[c] = f(sums[c] + f(weight * value[j * columns + c]));
    }
    for (let c = 0; c < columns; c++) output[i * columns + c] = sums[c] / total;
  }
  return output;
}

for (
  const [queryOffset, keyOffset] of [[0, 0], [15, 15], [40, -40], [150, 150], [0, 3000], [3000, 0], [
    9000,
    9000,
  ]]
) {
  onEachDevice(
    `exact attention keeps its digits at offsets ${queryOffset} and ${keyOffset}`,
    async (device) => {
      const q = about(1, queries, queryOffset), k = about(2, keys, keyOffset);
      const tensors = [tensor(q, [queries, features]), tensor(k, [keys, features])] as const;
      const v = tensor(value, [keys, columns]);
      const { output } = await attention(...tensors, v, { method: "exact", device });
      const [exact] = float64Heads(...tensors, v);
      assertPrecise(output.data, plainCentred(q, k), exact.output, "output");
    },
  );
}

onEachDevice("a common offset of keys changes no approximation by more than rounding", async (device) => {
  // On a grid, so that the sums are exact.
  const onGrid = (x: number) => Math.round(x * 256) / 256, n = 256;
  const q = tensor(normals(1, n * 16), [n, 16]),
    k = normals(2, n * 16).map(onGrid),
    v = tensor(normals(3, n * 4), [n, 4]);
  for (const method of ["calibrated", "kdeformer-practical", "routed"] as const) {
    const options = { method, bucketSize: 16, samples: 32, device, seed: 5 } as const;
    const outputs = await Promise.all(
      [512, 6144].map(async (offset) =>
        (await attention(q, tensor(k.map((x) => x + offset), [n, 16]), v, options)).output.data
      ),
    );
    assertLessOrEqual(largestDifference(outputs[0], outputs[1]), 1e-3, method);
  }
});

for (const causal of [false, true]) {
  onEachDevice(
    `partial results of keys far out have the log-sum-exp of the keys as given${causal ? ", causally" : ""}`,
    async (device) => {
      const q = about(1, queries, 30), k = about(2, keys, 30), v = tensor(value, [keys, columns]), half = 64;
      const query = tensor(q, [queries, features]), key = tensor(k, [keys, features]);
      const part = (start: number, end: number) =>
        attentionPartial(
          query,
          tensor(k.subarray(start * features, end * features), [end - start, features]),
          tensor(value.subarray(start * columns, end * columns), [end - start, columns]),
          { device, causalOffset: causal ? keys - queries - start : undefined },
        );
      const parts = [await part(0, half), await part(half, keys)], merged = mergePartials(parts);
      const [exact] = float64Heads(query, key, v, { causal });
      for (let i = 0; i < queries; i++) {
        const sums = parts.map(({ logSumExp }) => logSumExp.data[i]);
        const logits = Array.from({ length: causal ? i + keys - queries + 1 : keys }, (_, j) => {
          let product = 0;
          for (let t = 0; t < features; t++) product += q[i * features + t] * k[j * features + t];
          return product / Math.sqrt(features);
        });
        const expected = [logits.slice(0, half), logits.slice(half)].map((own) => {
          const largest = Math.max(...own);
          return largest + Math.log(own.reduce((sum, x) => sum + Math.exp(x - largest), 0));
        });
        expected.forEach((sum, at) => {
          if (sum > -Infinity) assertLessOrEqual(Math.abs(sums[at] - sum), 2 ** -22 * Math.abs(sum));
          else assertEquals(sums[at], -Infinity);
        });
      }
      // What merging loses is the rounding of the log-sum-exps themselves, which are some thousands.
      assertLessOrEqual(largestDifference(merged.output.data, exact.output), 2e-3);
    },
  );
}

onEachDevice("what lies about 0 and what is masked decide nothing", async (device) => {
  const query = tensor(normals(1, 48 * 8), [48, 8]), value = tensor(normals(3, 60 * 8), [60, 8]);
  const key = normals(2, 60 * 8), mask = Array.from({ length: 60 }, (_, j) => j % 2 === 0);
  // Hidden keys far out, which must not move the others.
  const spoilt = key.map((x, at) => mask[Math.floor(at / 8)] ? x : 1e12);
  await runJob(device, (backend) => {
    for (
      const problem of [
        makeProblem(query, tensor(key, [60, 8]), value),
        makeProblem(query, tensor(spoilt, [60, 8]), value, { keyMask: mask }),
      ]
    ) {
      const { problem: same, exact } = centre(backend, problem);
      assert(same === problem && exact === problem);
    }
    return Promise.resolve();
  });
});
