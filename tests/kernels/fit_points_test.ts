import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Backend, type DeviceArray, EMPTY, MASKED } from "../../kernels/backend.ts";
import { LEAST_MASS, LEAST_TOTAL } from "../../kernels/coreset_primitives.ts";
import { ReferenceBackend } from "../../kernels/reference/backend.ts";
import { besideReference } from "../beside_reference.ts";
import { onEachBackend } from "../backends.ts";
import { normals } from "../data.ts";
import { assertPrecise } from "../precision.ts";

interface Shape {
  readonly heads: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly probes: number;
  readonly fitted: number;
  readonly even: number;
  readonly otherWeight: number;
  readonly most: number;
  readonly scale: number;
}

/** What points are fitted to, in single precision. */
interface Inputs {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly logSumExp: Float32Array;
  readonly probabilities: Float32Array;
  readonly labels: Uint32Array;
  readonly clusters: Uint32Array;
}

async function inputs(shape: Shape, label: (key: number) => number, spread = 1): Promise<Inputs> {
  const { heads, keys, features, valueFeatures, probes } = shape;
  const query = normals(1, heads * probes * features, spread), key = normals(2, heads * keys * features);
  const value = normals(3, heads * keys * valueFeatures), on = new ReferenceBackend();
  const uploaded = { query: on.upload(query), key: on.upload(key), value: on.upload(value) };
  const exact = on.attendProbes({ ...shape, queries: probes, ...uploaded });
  const [logSumExp, probabilities] = await on.run([
    exact.logSumExp,
    exact.probabilities,
  ]) as Float32Array[];
  const labels = Uint32Array.from({ length: heads * keys }, (_, at) => label(at % keys));
  const clusters = new Uint32Array(heads).fill(1 + labels.reduce((a, b) => Math.max(a, b), 0));
  return { query, key, value, logSumExp, probabilities, labels, clusters };
}

function record(shape: Shape, given: Inputs): (on: Backend) => DeviceArray[] {
  return (on) => {
    const labels = on.upload(given.labels);
    const { order } = on.sortByBucket({
      ranks: labels,
      heads: shape.heads,
      count: shape.keys,
      buckets: shape.most,
    });
    const { key, value, logMass, logits } = on.fitPoints({
      ...shape,
      labels,
      order,
      clusters: on.upload(given.clusters),
      query: on.upload(given.query),
      key: on.upload(given.key),
      value: on.upload(given.value),
      logSumExp: on.upload(given.logSumExp),
      probabilities: on.upload(given.probabilities),
    });
    return [key, value, logMass, logits];
  };
}

const f32 = Math.fround;

/** The formula as it stands, each step rounded to single precision; the room that is left stays empty. */
function plainPoints(shape: Shape, given: Inputs): Float32Array[] {
  const { heads, keys, features, valueFeatures, probes, fitted, even, otherWeight, most, scale } = shape;
  const key = new Float32Array(heads * most * features), logMass = new Float32Array(heads * most).fill(EMPTY);
  const value = new Float32Array(heads * most * valueFeatures);
  const logits = new Float32Array(heads * probes * most).fill(EMPTY);
  const weight = (i: number) => i < even ? 1 : f32(otherWeight);
  for (let head = 0; head < heads; head++) {
    for (let s = 0; s < given.clusters[head]; s++) {
      const members: number[] = [];
      for (let j = 0; j < keys; j++) if (given.labels[head * keys + j] === s) members.push(head * keys + j);
      const column = (j: number, i: number) =>
        given.probabilities[(head * probes + i) * keys + (j - head * keys)];
      const sum = (length: number, term: (i: number) => number) => {
        let total = 0;
        for (let i = 0; i < length; i++) total = f32(total + f32(term(i)));
        return total;
      };
      const mean = (to: Float32Array, rows: Float32Array, width: number, masses: readonly number[]) => {
        const total = sum(members.length, (m) => masses[m]);
        for (let c = 0; c < width; c++) {
          to[(head * most + s) * width + c] = sum(
            members.length,
            (m) => f32(masses[m] * rows[members[m] * width + c]),
          ) / total;
        }
        return total;
      };
      const seen = members.map((j) => f32(LEAST_MASS + sum(fitted, (i) => f32(weight(i) * column(j, i)))));
      const plain = mean(key, given.key, features, seen);
      const logit = Float32Array.from({ length: probes }, (_, i) =>
        f32(
          scale * sum(
            features,
            (c) =>
              f32(given.query[(head * probes + i) * features + c] * key[(head * most + s) * features + c]),
          ),
        ));
      const ratio = logit.subarray(0, fitted).map((x, i) => x - given.logSumExp[head * probes + i]);
      const largest = ratio.reduce((a, b) => Math.max(a, b));
      const power = ratio.map((x) => Math.exp(f32(x - largest)));
      const square = sum(fitted, (i) => weight(i) * power[i] * power[i]);
      const own = members.map((j) => f32(sum(fitted, (i) => weight(i) * power[i] * column(j, i)) / square));
      const total = sum(members.length, (m) => own[m]), matched = total > LEAST_TOTAL;
      mean(value, given.value, valueFeatures, matched ? own : seen);
      const mass = matched ? total : f32(plain / sum(fitted, (i) => weight(i) * power[i]));
      logMass[head * most + s] = f32(Math.log(mass)) - largest;
      logit.forEach((x, i) => logits[(head * probes + i) * most + s] = x + logMass[head * most + s]);
    }
  }
  return [key, value, logMass, logits];
}

const SMALL: Shape = {
  heads: 2,
  keys: 150,
  features: 5,
  valueFeatures: 3,
  probes: 11,
  fitted: 9,
  even: 6,
  otherWeight: 0.05,
  most: 16,
  scale: 0.4,
};

/** Clusters of 1, 3, 5, … keys. */
const unequal = (key: number) => Math.floor(Math.sqrt(key));

onEachBackend("fitPoints() is as precise as the plain formula", async (backend) => {
  const wide = { ...SMALL, heads: 1, keys: 1200, features: 64, valueFeatures: 72, probes: 70, fitted: 61 };
  const cases: [Shape, (key: number) => number, number][] = [
    [SMALL, unequal, 1],
    [{ ...SMALL, heads: 1, keys: 1, most: 1 }, () => 0, 1],
    [{ ...SMALL, probes: 1, fitted: 1, even: 1 }, (j) => j % 3, 1],
    [{ ...wide, even: 50, most: 40, scale: 1 / 8 }, unequal, 2],
    [{ ...wide, valueFeatures: 1, keys: 700, most: 2, scale: 1 / 8 }, () => 0, 1],
  ];
  for (const [shape, label, spread] of cases) {
    const given = await inputs(shape, label, spread);
    const { actual, expected } = await besideReference(backend, record(shape, given));
    const plain = plainPoints(shape, given), what = JSON.stringify(shape);
    for (const [at, name] of ["key", "value", "logMass", "logits"].entries()) {
      // The room that is left holds numbers which would hide every error of the others.
      const there = (data: ArrayLike<number>) => Array.from(data, (x) => x <= MASKED ? MASKED / EMPTY : x);
      assert(there(plain[at]).every(Number.isFinite));
      assertPrecise(there(actual[at]), there(plain[at]), there(expected[at]), `${name} of ${what}`);
    }
  }
});

onEachBackend(
  "fitPoints() of single keys is attention itself, and leaves the rest of the room empty",
  async (backend) => {
    const shape = { ...SMALL, keys: 12 };
    const given = await inputs(shape, (j) => j);
    const [key, value, logMass, logits] = await backend.run(record(shape, given)(backend));
    for (let head = 0; head < shape.heads; head++) {
      for (let s = 0; s < shape.most; s++) {
        const at = head * shape.most + s, row = head * shape.keys + s;
        if (s >= shape.keys) {
          for (let c = 0; c < 5; c++) assertEquals(key[at * 5 + c], 0);
          for (let c = 0; c < 3; c++) assertEquals(value[at * 3 + c], 0);
          assertEquals(logMass[at], Math.fround(EMPTY));
          for (let i = 0; i < shape.probes; i++) {
            assertEquals(logits[(head * shape.probes + i) * shape.most + s], Math.fround(EMPTY));
          }
          continue;
        }
        assert(Math.abs(logMass[at]) < 1e-5);
        for (const [got, rows, width] of [[key, given.key, 5], [value, given.value, 3]] as const) {
          for (let c = 0; c < width; c++) {
            assert(Math.abs(got[at * width + c] - rows[row * width + c]) < 1e-6);
          }
        }
      }
    }
  },
);

onEachBackend("fitPoints() stays finite where every exponential of a cluster underflows", async (backend) => {
  const shape = { ...SMALL, heads: 1, keys: 40, most: 2 };
  const given = await inputs(shape, (j) => j % 2);
  // No probe attends to the second cluster, whose keys lie far away.
  const key = given.key.map((x, at) => Math.floor(at / shape.features) % 2 ? x - 1e4 : x);
  const query = given.query.map((x) => 1 + Math.abs(x));
  const probabilities = given.probabilities.map((p, at) => (at % shape.keys) % 2 ? 0 : 2 * p);
  const far = { ...given, key, query, probabilities };
  const { actual, expected } = await besideReference(backend, record(shape, far));
  for (const data of actual) assert((data as Float32Array).every(Number.isFinite));
  actual.slice(0, 2).forEach((data, at) => {
    for (let i = 0; i < data.length; i++) {
      assert(Math.abs(data[i] - expected[at][i]) <= 1e-5 * (1 + Math.abs(expected[at][i])));
    }
  });
});

onEachBackend(
  "fitPoints() takes every key of a cluster of 40,000, seen by a probe or not",
  async (backend) => {
    const shape = {
      ...SMALL,
      heads: 1,
      keys: 40000,
      valueFeatures: 212,
      probes: 1,
      fitted: 1,
      even: 1,
      most: 1,
    };
    const { keys, features, valueFeatures } = shape;
    // Loops that were cut off would leave out keys of the second half.
    const halves = (width: number) =>
      Float32Array.from({ length: keys * width }, (_, at) => at < keys * width / 2 ? 0 : 1);
    const given: Inputs = {
      query: new Float32Array(features),
      key: halves(features),
      value: halves(valueFeatures),
      logSumExp: new Float32Array(1),
      probabilities: new Float32Array(keys),
      labels: new Uint32Array(keys),
      clusters: new Uint32Array([1]),
    };
    for (const probability of [1 / keys, 0]) {
      const seen = { ...given, probabilities: given.probabilities.fill(probability) };
      const [key, value, logMass] = await backend.run(record(shape, seen)(backend));
      backend.reset();
      for (const mean of [...key, ...value]) assertAlmostEquals(mean, 0.5, 1e-3);
      assertAlmostEquals(logMass[0], Math.log(keys * Math.max(probability, LEAST_MASS)), 1e-3);
    }
  },
);

Deno.test("fitPoints() gives each key the mass that fits its column best", async () => {
  const shape = { ...SMALL, heads: 1 }, clusters = 7;
  const given = await inputs(shape, (j) => j % clusters), backend = new ReferenceBackend();
  const [key, value, logMass] = await backend.run(record(shape, given)(backend));
  const { keys, features, valueFeatures, fitted, even, otherWeight, scale } = shape;
  for (let s = 0; s < clusters; s++) {
    const ratios = Float64Array.from({ length: fitted }, (_, i) => {
      let product = 0;
      for (let c = 0; c < features; c++) product += given.query[i * features + c] * key[s * features + c];
      return Math.exp(scale * product - given.logSumExp[i]);
    });
    const distance = (j: number, mass: number) =>
      ratios.reduce(
        (sum, ratio, i) =>
          sum + (i < even ? 1 : otherWeight) * (mass * ratio - given.probabilities[i * keys + j]) ** 2,
        0,
      );
    let total = 0;
    const weighted = new Float64Array(valueFeatures);
    for (let j = s; j < keys; j += clusters) {
      // The least of a parabola through three of its points.
      const [a, b, c] = [0, 1, 2].map((mass) => distance(j, mass));
      const mass = (3 * a - 4 * b + c) / (2 * (a - 2 * b + c));
      total += mass;
      for (let c = 0; c < valueFeatures; c++) weighted[c] += mass * given.value[j * valueFeatures + c];
    }
    assert(Math.abs(logMass[s] - Math.log(total)) < 1e-5);
    weighted.forEach((x, c) => assert(Math.abs(value[s * valueFeatures + c] - x / total) < 1e-5));
  }
});
