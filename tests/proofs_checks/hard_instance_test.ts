import { assert, assertEquals } from "@std/assert";
import { hardInstance, hardInstanceParameters } from "../../proofs_checks/inputs/hard_instance.ts";
import { dot, lengthOf, rowOf, rowsOf, softmaxRow } from "./softmax_rows.ts";

const seeds = [1, 2, 3];

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
