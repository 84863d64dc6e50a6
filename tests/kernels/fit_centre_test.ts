import { assertEquals, assertLess } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { LEAST_MASS } from "../../kernels/coreset_primitives.ts";
import { membersOfParts } from "../../kernels/reference/member_of_part.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals } from "../data.ts";
import { assertPrecise, largestDifference } from "../precision.ts";

const f = Math.fround;

interface Shape {
  readonly heads: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly probes: number;
  readonly sampled: number;
}

/** Outputs about `centre` times the size, with noise of the given strength. */
function makeCase(shape: Shape, centre: number, noise: number, size = 1) {
  const { heads, keys, features, valueFeatures: width, probes } = shape;
  const key = normals(1, heads * keys * features), query = normals(2, heads * probes * features);
  const probabilities = normals(3, heads * probes * keys).map((x) => x * x / keys);
  const logSumExp = normals(4, heads * probes, 3), mean = normals(5, heads * width, size);
  const common = normals(6, heads * width, centre * size);
  const output = normals(7, heads * probes * width, noise * size).map((x, at) => {
    const column = Math.floor(at / (probes * width)) * width + at % width;
    return x + mean[column] + common[column];
  });
  const record = (on: Backend) => {
    const { key: point, value, logMass } = on.fitCentre({
      ...shape,
      key: on.upload(key),
      query: on.upload(query),
      probabilities: on.upload(probabilities),
      logSumExp: on.upload(logSumExp),
      output: on.upload(output),
      mean: on.upload(mean),
      scale: 0.5,
      largestValue: 5 * size,
    });
    return [point, value, logMass];
  };
  return { record, mean, output, plain };

  /** The formula as it stands, each step rounded to single precision. */
  function plain(): [Float32Array, Float32Array, Float32Array] {
    const point = new Float32Array(heads * features), value = new Float32Array(heads * width);
    const logMass = new Float32Array(heads);
    for (let head = 0; head < heads; head++) {
      const sum = new Float32Array(features);
      let total = 0;
      for (const j of membersOfParts(keys, shape.sampled)) {
        let mass = f(LEAST_MASS);
        for (let i = 0; i < probes; i++) mass = f(mass + probabilities[(head * probes + i) * keys + j]);
        total = f(total + mass);
        for (let c = 0; c < features; c++) sum[c] += f(mass * key[(head * keys + j) * features + c]);
      }
      sum.forEach((x, c) => point[head * features + c] = x / total);
      const stray = (i: number, c: number) =>
        f(output[(head * probes + i) * width + c] - mean[head * width + c]);
      const strays = new Float32Array(width);
      for (let i = 0; i < probes; i++) for (let c = 0; c < width; c++) strays[c] += stray(i, c);
      let cross = 0, square = 0;
      for (let i = 0; i < probes; i++) {
        for (let c = 0; c < width; c++) {
          const others = f(strays[c] - stray(i, c));
          cross = f(cross + f(stray(i, c) * others));
          square = f(square + f(others * others));
        }
      }
      const share = square > 0 ? Math.max(0, Math.min(1, f(f((probes - 1) * cross) / square))) : 0;
      strays.forEach((x, c) => value[head * width + c] = mean[head * width + c] + f(share * f(x / probes)));
      for (let i = head * probes; i < (head + 1) * probes; i++) {
        let logit = 0;
        for (let c = 0; c < features; c++) {
          logit = f(logit + f(query[i * features + c] * point[head * features + c]));
        }
        logMass[head] = f(logMass[head] + f(f(logSumExp[i] - f(0.5 * logit)) / probes));
      }
    }
    return [point, value, logMass];
  }
}

onEachBackend("fitCentre() meets the precision rule", async (backend) => {
  for (
    const [heads, keys, features, valueFeatures, probes, sampled] of [
      [1, 1, 1, 1, 1, 1],
      [2, 40, 1, 3, 5, 40],
      [1, 700, 64, 64, 7, 512],
      [3, 129, 15, 100, 12, 20],
      [1, 300, 130, 260, 23, 1000],
    ]
  ) {
    const shape = { heads, keys, features, valueFeatures, probes, sampled };
    for (const size of [1, 1e-12, 1e15]) {
      const given = makeCase(shape, 0.5, 1, size);
      const { actual, expected } = await besideReference(backend, given.record);
      given.plain().forEach((plain, at) =>
        assertPrecise(actual[at], plain, expected[at], `${Object.values(shape)}, size ${size}, part ${at}`)
      );
    }
  }
});

onEachBackend("fitCentre() believes outputs as far as they agree", async (backend) => {
  const shape = { heads: 1, keys: 50, features: 4, valueFeatures: 6, probes: 8, sampled: 50 };
  const valueOf = async (given: ReturnType<typeof makeCase>) => {
    const [, value] = await backend.run(given.record(backend)) as Float32Array[];
    backend.reset();
    return value;
  };
  // All the same: that is the answer.
  const agreed = makeCase(shape, 1, 0), value = await valueOf(agreed);
  assertLess(largestDifference(value, agreed.output.subarray(0, 6)), 1e-6);
  // Two that contradict each other: the mean value, to the bit.
  const opposed = makeCase({ ...shape, probes: 2 }, 0, 1);
  opposed.mean.fill(0);
  opposed.output.forEach((x, at) => at >= 6 ? opposed.output[at] = -opposed.output[at - 6] : x);
  assertEquals(await valueOf(opposed), opposed.mean);
});
