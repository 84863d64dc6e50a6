/** The property that defines each family, measured in float64 on several seeds. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { eigs } from "npm:mathjs@15";
import { drawHyperplanes } from "../../estimators/attention/kdeformer_practical.ts";
import { nearHyperplane, seedAware } from "../../proofs_checks/inputs/hyperplanes.ts";
import { hiddenDirections, normVersusAngle } from "../../proofs_checks/inputs/angles.ts";
import { clustered, clusterImbalance } from "../../proofs_checks/inputs/clustered.ts";
import { commonKeyOffset, duplicatedKeys, tinyDensity } from "../../proofs_checks/inputs/displaced.ts";
import type { AttentionInput } from "../../proofs_checks/inputs/family.ts";
import { gaussian } from "../../proofs_checks/inputs/gaussian.ts";
import { hardInstance, hardInstanceParameters } from "../../proofs_checks/inputs/hard_instance.ts";
import { needle, sinkKey } from "../../proofs_checks/inputs/heavy_keys.ts";
import { heavyTailed, hugeLogits, lognormalLogits } from "../../proofs_checks/inputs/logit_scale.ts";
import {
  equalQueries,
  lowRank,
  permutationSoftmax,
  uniformSoftmax,
} from "../../proofs_checks/inputs/stable_rank.ts";
import { alternatingValues, hugeValue, rareValue } from "../../proofs_checks/inputs/values.ts";
import { clopperPearson } from "../../proofs_checks/statistics/binomial.ts";
import { studentQuantile } from "../../proofs_checks/statistics/student.ts";
import { argmax, dot, lengthOf, logitsOf, rowOf, softmaxMatrix, softmaxRow } from "./softmax_rows.ts";

const seeds = [1, 2, 3];
const rowsOf = (tensor: AttentionInput["query"]) =>
  Array.from({ length: tensor.shape[1] }, (_, i) => rowOf(tensor, i));

/** Fails if as many events have a probability below one in a million. */
function assertFrequency(events: number, trials: number, probability: number): void {
  const { lower, upper } = clopperPearson(events, trials, 1 - 1e-6);
  assert(lower <= probability && probability <= upper, `${events} of ${trials}, expected ${probability}`);
}

Deno.test("heavy-tailed rows have the tails of Student's t with 3 degrees of freedom", () => {
  for (const seed of seeds) {
    const input = heavyTailed.generate({ n: 3000, seed });
    for (const tensor of [input.query, input.key, input.value]) {
      // One coordinate of each row: coordinates of a row share its length.
      const first = rowsOf(tensor).map((row) => Math.abs(row[0]) * Math.sqrt(3));
      for (const tail of [0.5, 0.05, 0.002]) {
        const limit = studentQuantile(1 - tail / 2, 3);
        assertFrequency(first.filter((x) => x > limit).length, first.length, tail);
      }
    }
  }
});

Deno.test("lognormal-logits have exactly normal logits with the standard deviation asked for", () => {
  const normalQuantile = 1.959963984540054;
  for (const seed of seeds) {
    for (const sigma of [0.5, 2, 4]) {
      const input = lognormalLogits.generate({ n: 4000, queries: 5, seed, sigma });
      for (let i = 0; i < 5; i++) {
        const logits = logitsOf(input, i);
        assertFrequency(logits.filter((x) => x > normalQuantile * sigma).length, 4000, 0.025);
        assertFrequency(logits.filter((x) => x < 0).length, 4000, 0.5);
      }
    }
  }
});

Deno.test("huge-logits reach the largest logit and never pass it", () => {
  for (const largest of [100, 1e4]) {
    for (const seed of seeds) {
      const input = hugeLogits.generate({ n: 300, seed, largest });
      const reached = Math.max(
        ...Array.from({ length: 300 }, (_, i) => Math.max(...logitsOf(input, i).map(Math.abs))),
      );
      // Lengths are rounded to 24 bits in each coordinate.
      assertAlmostEquals(reached, largest, largest * 2 ** -22);
    }
  }
});

Deno.test("uniform-softmax weighs every key the same", () => {
  for (const row of softmaxMatrix(uniformSoftmax.generate({ n: 50, seed: 1 }))) {
    assert(row.every((weight) => weight === row[0]));
  }
});

Deno.test("equal-queries have equal softmax rows", () => {
  const rows = softmaxMatrix(equalQueries.generate({ n: 50, seed: 1 }));
  for (const row of rows) assertEquals(row, rows[0]);
  assert(new Set(rows[0]).size === 50);
});

Deno.test("low-rank queries and keys have four singular values, the rest being rounding", () => {
  const features = 16;
  for (const seed of seeds) {
    const { query, key } = lowRank.generate({ n: 200, features, seed });
    const rows = [...rowsOf(query), ...rowsOf(key)];
    const gram = Array.from(
      { length: features },
      (_, s) =>
        Array.from({ length: features }, (_, t) => rows.reduce((sum, row) => sum + row[s] * row[t], 0)),
    );
    const values = (eigs(gram).values as number[]).map(Math.abs).sort((a, b) => b - a);
    const total = values.reduce((sum, value) => sum + value, 0);
    const rest = values.slice(4).reduce((sum, value) => sum + value, 0);
    // Eckart–Young with entries rounded to 24 bits, and the rounding of the eigenvalues.
    assert(rest <= total * (2 ** -48 + features * 2 ** -52), `${rest / total}`);
    // Four proper directions: the projection has nearly orthonormal rows of 16 coordinates, none negligible.
    assert(values[3] > total / 100, `${values[3] / total}`);
  }
});

Deno.test("permutation-softmax is nearly the identity, of stable rank n", () => {
  const n = 300;
  for (const seed of seeds) {
    const rows = softmaxMatrix(permutationSoftmax.generate({ n, seed }));
    const off = rows.reduce((sum, row, i) => sum + 1 - row[i], 0);
    // Its expectation is at most 1, see the generator; ten times that has probability at most 1/10 by Markov.
    assert(off <= 10, `weight off the diagonal ${off}`);
    // ‖P‖_F² >= Σ P_ii² and ‖P‖² <= ‖P‖₁ ‖P‖_∞ = largest column sum.
    const frobenius = rows.reduce((sum, row, i) => sum + row[i] ** 2, 0);
    const columns = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0));
    assert(frobenius / Math.max(...columns) >= n / 2);
  }
});

Deno.test("sink-key: one key, of no unusual value, holds more than half of every query's weight", () => {
  for (const n of [20, 600]) {
    for (const seed of seeds) {
      const input = sinkKey.generate({ n, seed });
      const rows = softmaxMatrix(input), sink = argmax(rows[0]);
      for (const row of rows) assert(row[sink] > 0.5, `${row[sink]}`);
      const norms = rowsOf(input.value).map(lengthOf);
      assert(norms[sink] < 2 * norms.reduce((sum, norm) => sum + norm) / n);
    }
  }
  const places = seeds.map((seed) => argmax(softmaxRow(sinkKey.generate({ n: 600, seed }), 0)));
  assertEquals(new Set(places).size, 3);
});

Deno.test("needle: a different key holds more than half of each query's weight, at a wide angle over a flat rest", () => {
  for (const n of [20, 600]) {
    for (const seed of seeds) {
      const input = needle.generate({ n, seed });
      const rows = softmaxMatrix(input), needles = rows.map(argmax);
      assertEquals(new Set(needles).size, n);
      rows.forEach((row, i) => {
        const own = needles[i], query = rowOf(input.query, i), key = rowOf(input.key, own);
        assert(row[own] > 0.5, `${row[own]}`);
        const cosine = dot(query, key) / lengthOf(query) / lengthOf(key);
        assert(cosine < 0.95, `${cosine}`);
        const rest = row.filter((_, j) => j !== own);
        assert(Math.max(...rest) < row[own] / 2);
      });
      if (n === 600) assert(needles.filter((own, i) => own === i).length < n / 10);
    }
  }
});

for (const [n, checked] of [[128, 128], [700, 200], [4096, 12]]) {
  Deno.test(`hard-instance of ${n}: near queries give n/(n + 1) or more, far ones 1/(n + 1) or less`, () => {
    const features = 64, { bits, distance, epsilon } = hardInstanceParameters(n, features);
    assertEquals(bits, 32);
    assertEquals(distance * (1 + epsilon), distance + 2);
    for (const seed of seeds) {
      const input = hardInstance.generate({ n, seed });
      const { query, key, value, scale } = input;
      assertEquals([query.shape, key.shape, value.shape], [[1, n, 64], [1, 2 * n, 64], [1, 2 * n, 64]]);
      const genuine = rowsOf(value).map((row) => {
        assert(row.subarray(1).every((x) => x === 0));
        return row[0] === 1;
      });
      assertEquals(genuine.filter(Boolean).length, n);
      const codes = rowsOf(key).map((row, j) => {
        const ones = row.subarray(0, bits).filter((x) => x > 0).length;
        assertEquals(ones, genuine[j] ? bits / 2 : 0);
        if (!genuine[j]) assert(row.every((x) => x === 0));
        return row.subarray(0, bits).map((x) => x > 0 ? 1 : 0);
      });
      const kinds = { near: 0, far: 0 };
      for (let i = 0; i < checked; i++) {
        const code = rowOf(query, i).subarray(0, bits).map((x) => x > 0 ? 1 : 0);
        assertEquals(dot(code, code), bits / 2);
        const hamming = codes.map((other, j) => genuine[j] ? bits - 2 * dot(code, other) : Infinity);
        const nearest = Math.min(...hamming);
        const row = softmaxRow(input, i),
          mass = row.filter((_, j) => genuine[j]).reduce((sum, p) => sum + p, 0);
        // Entries are rounded to 24 bits: a logit errs by at most 2^-23 of the sum of its terms' magnitudes, all
        // of which are bounded by the product of the rows' lengths. That is the last factor below.
        const error = 2 ** -23 * scale * lengthOf(rowOf(query, i)) * Math.max(...rowsOf(key).map(lengthOf));
        const slack = Math.exp(2 * error);
        if (nearest <= distance) {
          kinds.near++;
          assert(1 - mass <= slack / (n + 1), `${mass} for a query at distance ${nearest}`);
        } else {
          kinds.far++;
          assert(nearest >= (1 + epsilon) * distance);
          assert(mass <= slack / (n + 1), `${mass} for a query at distance ${nearest}`);
        }
      }
      assert(kinds.near >= checked / 2 && kinds.far > 0, JSON.stringify(kinds));
    }
  });
}

Deno.test("hard-instance distances are the largest that random vectors keep", () => {
  // Shares of balanced vectors of 32 bits within distance 2s, from binomial coefficients of 16: Σ C(16,i)² / C(32,16).
  const share = (swaps: number) =>
    [1, 16, 120, 560, 1820].slice(0, swaps + 1).reduce((sum, ways) => sum + ways ** 2, 0) / 601080390;
  for (const n of [128, 512, 1024, 4096, 16384, 131072]) {
    const swaps = hardInstanceParameters(n).distance / 2;
    assert(n * share(swaps) <= 0.5 && n * share(swaps + 1) > 0.5, `n = ${n}, ${swaps} swaps`);
  }
  assertEquals(hardInstanceParameters(100_000, 4096).bits, 2048);
});

Deno.test("duplicated-keys have each key at least 256 times, with values of its own", () => {
  for (const n of [100, 256, 1000, 1024]) {
    const { key, value } = duplicatedKeys.generate({ n, seed: 1 });
    const counts = new Map<string, number>();
    for (const row of rowsOf(key)) counts.set(row.join(), (counts.get(row.join()) ?? 0) + 1);
    assertEquals(counts.size, Math.max(1, Math.floor(n / 256)));
    for (const count of counts.values()) assert(count >= Math.min(n, 256));
    assertEquals(new Set(rowsOf(value).map(String)).size, n);
  }
});

Deno.test("common-key-offset moves every key by the same vector to the last bit", () => {
  for (const seed of seeds) {
    const plain = commonKeyOffset.generate({ n: 300, seed, offset: 0 });
    for (const offset of [1000, 8000]) {
      const moved = commonKeyOffset.generate({ n: 300, seed, offset });
      const differences = rowsOf(moved.key).map((row, j) => row.map((x, t) => x - rowOf(plain.key, j)[t]));
      for (const difference of differences) assertEquals(difference, differences[0]);
      // Each coordinate of the move is rounded to the grid.
      assertAlmostEquals(lengthOf(differences[0]), offset, 2 ** -11 * Math.sqrt(64));
      assertEquals(moved.query, plain.query);
      const largest = Math.max(...Array.from({ length: 300 }, (_, i) => Math.max(...logitsOf(moved, i))));
      assert(largest > 88, "bare exponentials must overflow in f32");
    }
  }
});

Deno.test("tiny-density: kernel densities are below n^-4 while every softmax row stays as flat as gaussian", () => {
  const n = 300;
  for (const seed of seeds) {
    const input = tinyDensity.generate({ n, seed }), { query, key, scale } = input;
    const sums = { before: 0, after: 0 };
    const plain = gaussian.generate({ n, seed });
    for (let i = 0; i < n; i++) {
      const exponents = rowsOf(key).map((row) =>
        -scale / 2 * row.reduce((sum, x, t) => sum + (x - rowOf(query, i)[t]) ** 2, 0)
      );
      assert(Math.max(...exponents) < -4 * Math.log(n));
      sums.after += Math.max(...softmaxRow(input, i));
      sums.before += Math.max(...softmaxRow(plain, i));
    }
    assert(sums.after < 2 * sums.before, JSON.stringify(sums));
  }
});

Deno.test("cluster-imbalance: most weight of the most popular cluster's queries lies on its few keys", () => {
  const n = 2048;
  for (const seed of seeds) {
    const input = clusterImbalance.generate({ n, queries: 400, seed });
    const half = softmaxMatrix(input).map((row) => {
      let sum = 0, count = 0;
      for (const weight of row.toSorted().toReversed()) {
        if (sum >= 0.5) break;
        sum += weight;
        count++;
      }
      return count;
    }).sort((a, b) => a - b);
    // Half of the queries look to n/255 keys; twice that allows for the number drawn.
    assert(half[Math.floor(0.4 * 400)] <= 2 * n / 255, `${half[160]}`);
  }
});

Deno.test("norm-versus-angle: keys near in angle weigh little, long keys at 60° most", () => {
  for (const seed of seeds) {
    const input = normVersusAngle.generate({ n: 4096, queries: 60, seed });
    const lengths = rowsOf(input.key).map(lengthOf);
    const mean = { near: 0, oblique: 0 };
    for (let i = 0; i < 60; i++) {
      const query = rowOf(input.query, i), row = softmaxRow(input, i);
      rowsOf(input.key).forEach((key, j) => {
        const cosine = dot(query, key) / lengthOf(query) / lengths[j];
        if (cosine > 0.8) mean.near += row[j] / 60;
        else if (cosine > 0.3 && lengths[j] > 10) mean.oblique += row[j] / 60;
      });
    }
    assert(mean.near < 0.1 && mean.oblique > 0.5, JSON.stringify(mean));
  }
});

/**
 * Share of the attention weight that joins a query to keys on its side of a hyperplane, mean over the hyperplanes that
 * attention draws for a seed; keys are hashed relative to their mean, queries as they are.
 */
function weightOnSameSide(input: AttentionInput, seed: number, projections: number, head = 0): number {
  const features = input.key.shape[2], keys = rowsOf(input.key);
  const centre = Float64Array.from(
    { length: features },
    (_, t) => keys.reduce((sum, row) => sum + row[t], 0) / keys.length,
  );
  const hyperplanes = drawHyperplanes(seed, head, 1, projections, features);
  const rows = softmaxMatrix(input);
  let joined = 0;
  for (let plane = 0; plane < projections; plane++) {
    const normal = hyperplanes.subarray(plane * features, (plane + 1) * features);
    const keySides = keys.map((row) => dot(row.map((x, t) => x - centre[t]), normal) > 0);
    rows.forEach((row, i) => {
      const side = dot(rowOf(input.query, i), normal) > 0;
      row.forEach((weight, j) => joined += keySides[j] === side ? weight : 0);
    });
  }
  return joined / projections / rows.length;
}

const freshSeeds = [11, 12, 13, 14, 15, 16];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

Deno.test("seed-aware: hyperplanes of seed 0 separate what attention joins, those of other seeds do not", () => {
  for (const seed of seeds) {
    for (const draw of [0, 3]) {
      const input = seedAware.generate({ n: 400, seed, draw });
      // Within a cluster the cosine is about 0.9: sides agree with probability 1 − arccos(0.9)/π = 0.86; clusters hold about
      // nine tenths of the weight. Separated, what is left joined is weight across clusters.
      for (const projections of [1, 6, 24]) {
        assert(weightOnSameSide(input, 0, projections, draw) < 0.25, `${projections} hyperplanes`);
      }
      const fresh = mean(freshSeeds.map((other) => weightOnSameSide(input, other, 6, draw)));
      assert(fresh > 0.7, `${fresh} with fresh seeds`);
    }
  }
});

Deno.test("seed-aware: not one pair of a cluster shares a sign bit at seed 0", () => {
  const input = seedAware.generate({ n: 400, seed: 1 }), features = 64;
  const centre = rowsOf(input.key).reduce(
    (sum, row) => sum.map((x, t) => x + row[t] / 400),
    new Float64Array(features),
  );
  const hyperplanes = drawHyperplanes(0, 0, 1, 24, features);
  let pairs = 0;
  for (let i = 0; i < 100; i++) {
    logitsOf(input, i).forEach((logit, j) => {
      // Half-way between logits inside a cluster and outside; all above 6 are inside but for chance.
      if (logit < 6) return;
      pairs++;
      for (let plane = 0; plane < 24; plane++) {
        const normal = hyperplanes.subarray(plane * features, (plane + 1) * features);
        const key = dot(rowOf(input.key, j).map((x, t) => x - centre[t]), normal);
        assert(key * dot(rowOf(input.query, i), normal) < 0, `query ${i}, key ${j}, hyperplane ${plane}`);
      }
    });
  }
  assert(pairs > 100, `${pairs} pairs`);
});

Deno.test("near-hyperplane: sign bits are coin flips at seed 0 and those of clusters at other seeds", () => {
  for (const seed of seeds) {
    const input = nearHyperplane.generate({ n: 400, seed });
    // 400 · 24 flips of queries and as many of keys: 0.05 is about ten standard errors of their mean.
    assertAlmostEquals(weightOnSameSide(input, 0, 24), 0.5, 0.05);
    const fresh = mean(freshSeeds.map((other) => weightOnSameSide(input, other, 6)));
    assert(fresh > 0.7, `${fresh} with fresh seeds`);
    const normal = drawHyperplanes(0, 0, 1, 24, 64);
    for (const row of rowsOf(input.query)) {
      for (let plane = 0; plane < 24; plane++) {
        const product = dot(row, normal.subarray(plane * 64, (plane + 1) * 64));
        // ± ¼, up to 24 roundings of coordinates below 8 times a normal's length below 16.
        assertAlmostEquals(Math.abs(product), 0.25, 24 * 2 ** -24 * 8 * 16);
      }
    }
  }
});

Deno.test("hidden-directions: sign bits say little at any seed though clusters hold the weight", () => {
  for (const seed of seeds) {
    const input = hiddenDirections.generate({ n: 400, seed });
    // The visible part is √(1.8/(1.8 + 64)) = 0.165 of a key's length: sides agree with probability at most
    // ½ + arcsin(0.165)/π = 0.553, while those of clustered inputs agree in 0.8 or more of the weight.
    const hidden = mean(freshSeeds.map((other) => weightOnSameSide(input, other, 20)));
    const plain = mean(
      freshSeeds.map((other) => weightOnSameSide(clustered.generate({ n: 400, seed }), other, 20)),
    );
    assert(hidden < 0.6 && plain > 0.7, `${hidden} against ${plain}`);
    const largest = softmaxMatrix(input).map((row) =>
      row.toSorted().toReversed().slice(0, 20).reduce((a, b) => a + b)
    );
    // Clusters have 400/64 = 6 keys on average.
    assert(mean(largest) > 0.5, `${mean(largest)}`);
  }
});

Deno.test("huge-value: the key with the huge value has next to no weight in any row", () => {
  for (const seed of seeds) {
    const input = hugeValue.generate({ n: 300, seed });
    const norms = Float64Array.from(rowsOf(input.value), lengthOf), hidden = argmax(norms);
    const others = norms.filter((_, j) => j !== hidden);
    assert(norms[hidden] > 1000 * Math.max(...others));
    // Its logit is −40, and the mean of the other exponentials is at least that of a zero logit, but for chance.
    for (const row of softmaxMatrix(input)) assert(row[hidden] < Math.exp(-39) / 300);
  }
});

Deno.test("rare-value: one value is not zero, at a random place", () => {
  const places = seeds.map((seed) => {
    const { value } = rareValue.generate({ n: 300, seed });
    const present = rowsOf(value).map((row, j) => row.some((x) => x !== 0) ? j : -1).filter((j) => j >= 0);
    assertEquals(present.length, 1);
    return present[0];
  });
  assertEquals(new Set(places).size, 3);
});

Deno.test("alternating-values: keys come in equal pairs whose values cancel, so the output is zero", () => {
  for (const n of [10, 301]) {
    for (const seed of seeds) {
      const { key, value } = alternatingValues.generate({ n, seed });
      const sums = new Map<string, number[]>(), counts = new Map<string, number>();
      rowsOf(key).forEach((row, j) => {
        const name = row.join(), sum = sums.get(name) ?? new Array<number>(64).fill(0);
        sums.set(name, sum.map((x, t) => x + rowOf(value, j)[t]));
        counts.set(name, (counts.get(name) ?? 0) + 1);
      });
      for (const sum of sums.values()) assert(sum.every((x) => x === 0));
      assertEquals([...counts.values()].filter((count) => count !== 2).length, n % 2);
      assert(value.data.filter((x) => x !== 0).length >= 64 * (n - 1) - 64);
    }
  }
});
