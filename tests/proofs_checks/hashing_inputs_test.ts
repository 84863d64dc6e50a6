/** Families made against locality-sensitive hashing: what joins or separates the weight, measured on several seeds. */
import { assert, assertAlmostEquals } from "@std/assert";
import { drawHyperplanes } from "../../estimators/methods/shared/hash_draws.ts";
import { hiddenDirections, normVersusAngle } from "../../proofs_checks/inputs/angles.ts";
import { clustered } from "../../proofs_checks/inputs/clustered.ts";
import type { AttentionInput } from "../../proofs_checks/inputs/family.ts";
import { nearHyperplane, seedAware } from "../../proofs_checks/inputs/hyperplanes.ts";
import { dot, lengthOf, logitsOf, rowOf, rowsOf, softmaxMatrix, softmaxRow } from "./softmax_rows.ts";

const seeds = [1, 2, 3];

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
  const hyperplanes = drawHyperplanes(seed, { first: head, count: 1 }, projections, features);
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
  for (const seed of seeds) {
    const input = seedAware.generate({ n: 400, seed }), features = 64;
    const centre = rowsOf(input.key).reduce(
      (sum, row) => sum.map((x, t) => x + row[t] / 400),
      new Float64Array(features),
    );
    const hyperplanes = drawHyperplanes(0, { first: 0, count: 1 }, 24, features);
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
  }
});

Deno.test("near-hyperplane: sign bits are coin flips at seed 0 and those of clusters at other seeds", () => {
  for (const seed of seeds) {
    const input = nearHyperplane.generate({ n: 400, seed });
    // 400 · 24 flips of queries and as many of keys: 0.05 is about ten standard errors of their mean.
    assertAlmostEquals(weightOnSameSide(input, 0, 24), 0.5, 0.05);
    const fresh = mean(freshSeeds.map((other) => weightOnSameSide(input, other, 6)));
    assert(fresh > 0.7, `${fresh} with fresh seeds`);
    const normal = drawHyperplanes(0, { first: 0, count: 1 }, 24, 64);
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
