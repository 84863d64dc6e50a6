import { assertEquals, assertLess } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { membersOfParts } from "../../kernels/reference/member_of_part.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";
import { assertPrecise, largestMagnitude } from "../precision.ts";

const f = Math.fround;

interface Shape {
  readonly heads: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly probes: number;
  readonly fitted: number;
  readonly even: number;
  readonly sampled: number;
}

/** Keys in clusters about points, and outputs that miss `strength` of the function, but for noise. */
function makeCase(shape: Shape, strength: number, noise: number, size = 1) {
  const { heads, keys, features, valueFeatures: width, probes } = shape, most = 6;
  const labels = wordsBelow(1, heads * keys, most);
  const pointKey = normals(2, heads * most * features), pointValue = normals(3, heads * most * width, size);
  const key = normals(4, heads * keys * features), value = normals(5, heads * keys * width, 0.1 * size);
  labels.forEach((label, row) => {
    const head = Math.floor(row / keys), point = head * most + label;
    for (let a = 0; a < features; a++) key[row * features + a] += pointKey[point * features + a];
    for (let c = 0; c < width; c++) {
      // Values that go with the keys, so that there is a slope.
      const stray = key[row * features + c % features] - pointKey[point * features + c % features];
      value[row * width + c] += size * stray + pointValue[point * width + c];
    }
  });
  const query = normals(6, heads * probes * features);
  const probabilities = normals(7, heads * probes * keys).map((x) => x * x / keys);
  const approximate = normals(8, heads * probes * width, size);
  const drift = normals(9, heads * probes * width, noise * size);
  const exact = approximate.map((x, at) => {
    const row = Math.floor(at / width), c = at % width;
    return x + strength * size * query[row * features + c % features] + drift[at];
  });
  const weights = { ...shape, most, otherWeight: 0.05, scale: 0.5, largestValue: 5 * size };
  const record = (on: Backend) => {
    const fitted = on.fitSlope({
      ...weights,
      key: on.upload(key),
      value: on.upload(value),
      query: on.upload(query),
      probabilities: on.upload(probabilities),
      labels: on.upload(labels),
      points: { key: on.upload(pointKey), value: on.upload(pointValue) },
      exact: on.upload(exact),
      approximate: on.upload(approximate),
    });
    const rows = on.upload(new Float32Array(heads * probes * width));
    return [
      fitted.output,
      on.addLinear({ ...fitted, ...shape, rows, query: on.upload(query), count: probes }),
    ];
  };
  return { record, exact, plain: () => plainSlope() };

  /** The formula as it stands, each step rounded to single precision: what is left of the outputs, and the function. */
  function plainSlope(): [Float32Array, Float32Array] {
    const { fitted, even } = shape, every = Math.ceil(keys / shape.sampled);
    const left = exact.slice(), added = new Float32Array(left.length);
    const weight = (i: number) => i < even ? 1 : f(0.05);
    let total = 0;
    for (let i = 0; i < fitted; i++) total = f(total + weight(i));
    for (let head = 0; head < heads; head++) {
      const slope = new Float32Array(features * width);
      for (const j of membersOfParts(keys, shape.sampled)) {
        const row = head * keys + j, point = head * most + labels[row];
        let share = 0;
        for (let i = 0; i < fitted; i++) {
          share = f(share + f(weight(i) * probabilities[(head * probes + i) * keys + j]));
        }
        share = f(f(f(0.5 * every) / total) * share);
        for (let a = 0; a < features; a++) {
          const stray = f(share * f(key[row * features + a] - pointKey[point * features + a]));
          for (let c = 0; c < width; c++) {
            slope[a * width + c] += f(stray * f(value[row * width + c] - pointValue[point * width + c]));
          }
        }
      }
      const linear = Float32Array.from({ length: probes * width }, (_, at) => {
        let sum = 0;
        for (let a = 0; a < features; a++) {
          const x = query[(head * probes + Math.floor(at / width)) * features + a];
          sum = f(sum + f(x * slope[a * width + at % width]));
        }
        return sum;
      });
      const mean = new Float32Array(width);
      for (let i = 0; i < fitted; i++) {
        for (let c = 0; c < width; c++) mean[c] += f(weight(i) * linear[i * width + c]);
      }
      const centred = linear.map((x, at) => x - f(mean[at % width] / total));
      const parts = Array.from({ length: fitted }, (_, i) => {
        let cross = 0, square = 0;
        for (let c = 0; c < width; c++) {
          const at = i * width + c, from = head * probes * width + at;
          cross = f(cross + f(centred[at] * f(exact[from] - approximate[from])));
          square = f(square + f(centred[at] ** 2));
        }
        return [f(weight(i) * cross), f(weight(i) * square)];
      });
      const sums = [0, 1].map((at) => parts.reduce((sum, part) => f(sum + part[at]), 0));
      const factor = parts.reduce((least, [cross, square]) => {
        const others = f(sums[1] - square);
        return Math.min(least, others > 0 ? Math.max(0, f(f(sums[0] - cross) / others)) : 0);
      }, 1);
      centred.forEach((x, at) => {
        left[head * probes * width + at] -= f(factor * x);
        added[head * probes * width + at] = f(factor * x);
      });
    }
    return [left, added];
  }
}

onEachBackend("fitSlope() and addLinear() meet the precision rule", async (backend) => {
  for (
    const [heads, keys, features, valueFeatures, probes, fitted, even, sampled] of [
      [1, 40, 1, 1, 5, 3, 2, 40],
      [2, 300, 15, 7, 12, 9, 7, 100],
      [1, 700, 64, 64, 40, 30, 30, 1000],
      [3, 129, 8, 100, 9, 6, 4, 20],
    ]
  ) {
    const shape = { heads, keys, features, valueFeatures, probes, fitted, even, sampled };
    for (const size of [1, 1e-12, 1e15]) {
      const given = makeCase(shape, 0.5, 0.1, size);
      const { actual, expected } = await besideReference(backend, given.record);
      given.plain().forEach((plain, at) =>
        assertPrecise(actual[at], plain, expected[at], `${Object.values(shape)}, size ${size}, part ${at}`)
      );
    }
  }
});

onEachBackend("fitSlope() takes off what is linear, and keeps out of what is not", async (backend) => {
  const shape = {
    heads: 1,
    keys: 600,
    features: 6,
    valueFeatures: 6,
    probes: 60,
    fitted: 50,
    even: 50,
    sampled: 600,
  };
  const squares = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x * x, 0);
  const [helped, added] = await backend.run(makeCase(shape, 0.5, 0.01).record(backend)) as Float32Array[];
  backend.reset();
  const { exact } = makeCase(shape, 0.5, 0.01), approximate = normals(8, exact.length);
  const left = squares(helped.map((x, at) => x - approximate[at]));
  assertLess(left, 0.1 * squares(exact.map((x, at) => x - approximate[at])));
  // Outputs that lie the other way: nothing is added, to the bit.
  const [same, nothing] = await backend.run(makeCase(shape, -0.5, 0.01).record(backend)) as Float32Array[];
  backend.reset();
  assertEquals(same, makeCase(shape, -0.5, 0.01).exact);
  assertEquals(largestMagnitude(nothing), 0);
  assertLess(0, largestMagnitude(added));
});

onEachBackend(
  "fitSlope() and addLinear() of a single point are those of points that are all the same",
  async (backend) => {
    for (const width of [3, 64]) {
      const heads = 2, keys = 300, probes = 9, most = 2;
      const shape = { heads, keys, features: width, valueFeatures: width, probes, fitted: 7, even: 7, most };
      const key = normals(1, heads * keys * width), point = normals(2, heads * most * width);
      const query = normals(3, heads * probes * width), exact = normals(4, heads * probes * width);
      const probabilities = normals(5, heads * probes * keys).map((x) => x * x / keys);
      const first = Float32Array.from(
        { length: heads * width },
        (_, at) => point[Math.floor(at / width) * most * width + at % width],
      );
      const repeated = Float32Array.from(
        { length: heads * probes * width },
        (_, at) => first[Math.floor(at / (probes * width)) * width + at % width],
      );
      const record = (on: Backend, single: boolean) => {
        const queries = on.upload(query), points = { key: on.upload(point), value: on.upload(point) };
        const fitted = on.fitSlope({
          ...shape,
          key: on.upload(key),
          value: on.upload(key),
          query: queries,
          probabilities: on.upload(probabilities),
          labels: single ? undefined : on.upload(new Uint32Array(heads * keys)),
          points,
          exact: on.upload(exact),
          approximate: single ? undefined : on.upload(repeated),
          otherWeight: 1,
          scale: 1,
          sampled: 100,
          largestValue: 5,
        });
        const rows = on.upload(single ? first : repeated);
        return [
          fitted.output,
          on.addLinear({ ...shape, ...fitted, query: queries, count: probes, rows, sameRow: single }),
        ];
      };
      const single = await backend.run(record(backend, true));
      backend.reset();
      const several = await backend.run(record(backend, false));
      backend.reset();
      assertEquals(single, several);
      assertLess(0, largestMagnitude(single[1]));
    }
  },
);
