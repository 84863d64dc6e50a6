import { assertEquals, assertRejects } from "@std/assert";
import { densityMethods } from "../../../estimators/kde/methods.ts";
import { estimateDensity } from "../../../estimators/kde/estimate_density.ts";
import { kernelProduct } from "../../../estimators/kde/kernel_product.ts";
import { kernelSum } from "../../../estimators/kde/kernel_sum.ts";
import { topEigenpair } from "../../../estimators/kde/top_eigenpair.ts";
import { weightedExponentialKde } from "../../../estimators/kde/weighted_exponential_kde.ts";
import { type Tensor, tensor } from "../../../kernels/tensor.ts";
import { normals } from "../../data.ts";
import { onEachDevice } from "../../devices.ts";

/** Anything that a caller without types may pass. */
// deno-lint-ignore no-explicit-any
type Anything = any;

const rows = tensor(normals(1, 12), [6, 2]), device = "reference";
const weights = [1, 2, 3, 4, 5, 6];

/** Each function on densities, given options beside right tensors. */
const functions: Record<string, (options: Anything) => Promise<unknown>> = {
  estimateDensity: (options) => estimateDensity(rows, rows, options),
  weightedExponentialKde: (options) => weightedExponentialKde(rows, weights, rows, options),
  kernelSum: (options) => kernelSum(rows, options),
  kernelProduct: (options) => kernelProduct(rows, weights, options),
  topEigenpair: (options) => topEigenpair(rows, options),
};

for (const [name, call] of Object.entries(functions)) {
  Deno.test(`${name}() names each option that is wrong`, async () => {
    const wrong: [Anything, ErrorConstructor, string][] = [
      [{ epsilom: 0.1 }, TypeError, 'unknown option "epsilom": did you mean epsilon?'],
      [null, TypeError, "options must be an object with names such as"],
      [{ epsilon: "0.5" }, TypeError, 'epsilon must lie between 0 and 1: current value is "0.5"'],
      [{ epsilon: NaN }, RangeError, "epsilon must lie between 0 and 1: current value is NaN"],
      [{ delta: null }, TypeError, "delta must lie between 0 and 1: current value is null"],
      [{ delta: 1 }, RangeError, "delta must lie between 0 and 1: current value is 1"],
      [{ seed: 1.5 }, RangeError, "seed must be an integer from 0 to 2^53 − 1: current value is 1.5"],
      [{ seed: 1n }, TypeError, "seed must be an integer from 0 to 2^53 − 1: current value is 1n"],
      [{ device: "cuda" }, RangeError, "or one of webgpu, wasm, reference: current value is cuda"],
      [{ device: 3 }, TypeError, "device must be one that openDevice() gave"],
      [{ signal: {} }, TypeError, "signal must be an AbortSignal"],
    ];
    if (name !== "weightedExponentialKde") {
      wrong.push(
        [{ bandwith: 2 }, TypeError, 'unknown option "bandwith": did you mean bandwidth?'],
        [{ bandwidth: "2" }, TypeError, 'bandwidth must be a positive number: current value is "2"'],
        [{ bandwidth: 0 }, RangeError, "bandwidth must be a positive number: current value is 0"],
        [{ bandwidth: Infinity }, RangeError, "current value is Infinity"],
        [{ kernel: "cauchy" }, RangeError, "kernel must be one of gaussian, exponential, laplace"],
        [
          { kernel: 3 },
          TypeError,
          "kernel must be one of gaussian, exponential, laplace: current value is 3",
        ],
      );
    } else wrong.push([{ bandwidth: 2 }, TypeError, 'unknown option "bandwidth"']);
    if (name === "kernelSum") {
      wrong.push(
        [{ method: "exact" }, TypeError, 'unknown option "method"'],
        [{ samples: "9" }, TypeError, 'samples must be an integer from 2 to 2^53 − 1: current value is "9"'],
        [{ samples: 2.5 }, RangeError, "samples must be an integer from 2 to 2^53 − 1: current value is 2.5"],
      );
    } else {
      wrong.push(
        [{ method: "exat" }, RangeError, "method must be one of exact, uniform"],
        [{ method: 7 }, TypeError, "current value is 7"],
        [{ densityFloor: "a" }, TypeError, 'densityFloor must be in (0, 1]: current value is "a"'],
        [{ densityFloor: 0 }, RangeError, "densityFloor must be in (0, 1]: current value is 0"],
      );
    }
    for (const [options, kind, message] of wrong) {
      const filled = options && { device, ...options };
      await assertRejects(() => call(filled), kind, message);
    }
    // What is left open is the default.
    await call({ device, epsilon: undefined, signal: undefined, seed: undefined });
  });

  Deno.test(`${name}() rejects with the reason of an aborted signal`, async () => {
    const reason = new Error("enough");
    await assertRejects(() => call({ device, signal: AbortSignal.abort(reason) }), Error, "enough");
  });
}

Deno.test("functions on densities name what is wrong with their rows, in the caller's own units", async () => {
  const at = (index: number, value: number): Tensor => {
    const data = rows.data.slice();
    data[index] = value;
    return tensor(data, rows.shape);
  };
  for (const bad of [NaN, Infinity]) {
    const message = `points must be finite: row 2, column 1 is ${bad}`;
    await assertRejects(() => estimateDensity(at(5, bad), rows, { device }), RangeError, message);
    await assertRejects(() => kernelSum(at(5, bad), { device }), RangeError, message);
    await assertRejects(() => kernelProduct(at(5, bad), weights, { device }), RangeError, message);
    await assertRejects(() => topEigenpair(at(5, bad), { device }), RangeError, message);
    await assertRejects(
      () => weightedExponentialKde(at(5, bad), weights, rows, { device }),
      RangeError,
      message,
    );
  }
  await assertRejects(
    () => estimateDensity(rows, at(3, 1e20), { device, bandwidth: 2 ** -80 }),
    RangeError,
    "queries must be below 1e+38 times the bandwidth, 8.271806125530277e-25, in magnitude: row 1, column 1 is 100000002004087730000",
  );
  await assertRejects(
    () => weightedExponentialKde(rows, weights, at(0, -2e15), { device }),
    RangeError,
    "queries must be below 1000000000000000 in magnitude: row 0, column 0 is -1999999973982208",
  );
  const wrong: [Anything, string][] = [
    [undefined, "Cannot read points: data must be a Float32Array"],
    [[1, 2], "Cannot read points: data must be a Float32Array"],
    [{ data: rows.data, shape: [3, 2, 2] }, "points must have 2 dimensions: current shape is [3, 2, 2]"],
    [{ data: rows.data, shape: [5, 2] }, "Cannot read points: shape [5, 2] needs 10 values"],
  ];
  for (const [points, message] of wrong) {
    await assertRejects(() => estimateDensity(points, rows, { device }), TypeError, message);
    await assertRejects(() => kernelSum(points, { device }), TypeError, message);
    await assertRejects(() => topEigenpair(points, { device }), TypeError, message);
    await assertRejects(() => weightedExponentialKde(points, weights, rows, { device }), TypeError, message);
  }
  const badWeights: [Anything, string][] = [
    [undefined, "weights must be an array of numbers: current value is undefined"],
    [7, "weights must be an array of numbers: current value is 7"],
    [["1", 2, 3, 4, 5, 6], 'weights must be an array of numbers: element 0 is "1"'],
    [[1, 2], "a weight for each of 6 points: there are 2"],
  ];
  for (const [given, message] of badWeights) {
    await assertRejects(() => weightedExponentialKde(rows, given, rows, { device }), TypeError, message);
  }
});

onEachDevice(
  "values are those at the call: what the caller does to its arrays afterwards changes nothing",
  async (device) => {
    const calls: ((points: Tensor, queries: Tensor, weights: Float32Array) => Promise<unknown>)[] = [
      ...densityMethods.flatMap((method) =>
        [1, 3].map((bandwidth) => (points: Tensor, queries: Tensor) =>
          estimateDensity(points, queries, { device, method, bandwidth })
        )
      ),
      (points, queries, weights) => weightedExponentialKde(points, weights, queries, { device }),
      (points) => kernelSum(points, { device }),
      (points, _, weights) => kernelProduct(points, weights, { device }),
      (points) => topEigenpair(points, { device }),
    ];
    for (const call of calls) {
      const points = tensor(normals(2, 120), [40, 3]), queries = tensor(normals(3, 15), [5, 3]);
      const weights = normals(4, 40).map(Math.abs), copy = (x: Tensor) => tensor(x.data.slice(), x.shape);
      const expected = await call(copy(points), copy(queries), weights.slice());
      const found = call(points, queries, weights);
      for (const data of [points.data, queries.data, weights]) data.fill(NaN);
      assertEquals(await found, expected);
    }
  },
);
