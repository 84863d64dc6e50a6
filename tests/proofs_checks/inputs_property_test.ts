/** The property that defines each family, measured in float64 on several seeds. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { eigs } from "npm:mathjs@15";
import { clusterImbalance } from "../../proofs_checks/inputs/clustered.ts";
import { commonKeyOffset, duplicatedKeys, tinyDensity } from "../../proofs_checks/inputs/displaced.ts";
import { gaussian } from "../../proofs_checks/inputs/gaussian.ts";
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
import { studentTail } from "../../proofs_checks/statistics/student_tail.ts";
import { argmax, dot, lengthOf, logitsOf, rowOf, rowsOf, softmaxMatrix, softmaxRow } from "./softmax_rows.ts";

const seeds = [1, 2, 3];

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
      for (const limit of [0.75, 3, 10]) {
        assertFrequency(first.filter((x) => x > limit).length, first.length, 2 * studentTail(limit, 3));
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
