import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import { isWorth, prospectOf, timeOf } from "../../../estimators/certified/attempt_worth.ts";
import { faultless, rowsNeeded, withError, wouldHold } from "../../../estimators/certified/check_plan.ts";
import type { HeadGeometry } from "../../../estimators/certified/head_geometry.ts";
import { approximateMethods } from "../../../estimators/methods/methods.ts";
import { attention, openDevice, tensor } from "../../../mod.ts";
import { normals } from "../../data.ts";

/** A head of n queries and keys whose P has norm √n/3 along one key. */
function headOf(n: number): HeadGeometry {
  const direction = new Float32Array(n);
  direction[0] = 1;
  return {
    centre: new Float64Array(4),
    radius: 1,
    longest: 1,
    valueNorm: Math.sqrt(n) / 2,
    visible: n,
    direction,
    squaredDirection: 1,
    largestImage: 1 / 3,
    softmaxNormEstimate: Math.sqrt(n) / 3,
    bounds: { weights: new Float64Array(n), sums: 0, least: 0 },
  };
}

const n = 5000, geometry = [headOf(n)], certain = faultless(geometry[0], n, 2);
const last = { rows: 3500, delta: 0.01 };
const question = { epsilon: 0.02, certify: "bound" } as const;
const prospect = (error: number) => prospectOf([withError(certain, error)], geometry, question, last);

Deno.test("the chance of a certificate is even where the expected error is the most that would be certified", () => {
  let held = 0, refused = 1e4;
  while (refused - held > 1e-6 * refused) {
    const error = (held + refused) / 2;
    if (wouldHold([withError(certain, error)], geometry, question, last)) held = error;
    else refused = error;
  }
  assert(held > 0);
  assertAlmostEquals(prospect(held).chance, 0.5, 0.01);
  assertAlmostEquals(prospect(2 * held).chance, 1 - prospect(held / 2).chance, 0.01);
  assert(prospect(held / 2).chance > 0.95);
  let before = 1;
  for (const share of [0, 0.1, 0.5, 1, 1.5, 3, 100, 1e9]) {
    const { chance, rows } = prospect(share * held);
    assertLessOrEqual(chance, before + 1e-12);
    assertLessOrEqual(rows, last.rows);
    before = chance;
  }
  // No error is larger than the farthest: it must not count as one that checked rows remove.
  assert(before < 1e-3, String(before));
  const half = withError(certain, held / 2);
  assertEquals(prospect(held / 2).rows, rowsNeeded([half], geometry, question, last.rows, last.delta));
});

Deno.test("what can succeed has a chance, and is attempted where that costs little", () => {
  const hopeless = [withError(certain, 1e9)], hoped = [withError(certain, 1)];
  const without = prospectOf(hopeless, geometry, question, last);
  const hopeful = prospectOf(hopeless, geometry, question, last, hoped);
  assert(without.chance < 1e-3);
  assertEquals(hopeful, { chance: 0.1, rows: rowsNeeded(hoped, geometry, question, last.rows, last.delta)! });
  assertEquals(prospectOf(hopeless, geometry, question, last, hopeless), without);
  assertEquals(
    prospectOf(hoped, geometry, question, last, hoped),
    prospectOf(hoped, geometry, question, last),
  );
  assert(isWorth(hopeful, 0.02, n) && !isWorth(hopeful, 0.06, n));
});

Deno.test("an attempt is made that saves time in the mean, and never one that may lose much", () => {
  for (const chance of [0, 0.2, 0.5, 0.9, 1]) {
    for (const rows of [100, 2000, 4000]) {
      for (const cost of [0.01, 0.1, 0.3]) {
        for (const lost of [0, 0.1]) {
          if (!isWorth({ chance, rows }, cost, n, lost)) continue;
          const expected = cost + chance * rows / n + (1 - chance);
          assert(expected < 1);
          assertLessOrEqual((1 - chance) * (cost + lost), 0.04);
        }
      }
    }
  }
  assert(isWorth({ chance: 0.9, rows: 1000 }, 0.1, n));
  assert(!isWorth({ chance: 0.9, rows: 4900 }, 0.1, n), "hardly any row would be saved");
  assert(!isWorth({ chance: 0.6, rows: 100 }, 0.15, n), "too much is at stake");
  assert(!isWorth({ chance: 0.9, rows: 1000 }, 0.1, n, 0.4), "enough has been lost");
});

Deno.test("an attempt takes its evaluations and what its method prepares", () => {
  const budget = { bucketSize: 60, samples: 140, seed: 0 },
    { calibrated, hyperattention } = approximateMethods;
  assert(timeOf(calibrated, budget, 8000) > timeOf(hyperattention, budget, 8000));
  assertAlmostEquals(
    timeOf(hyperattention, { ...budget, samples: 540 }, 8000),
    timeOf(hyperattention, budget, 8000) + 0.05,
  );
});

Deno.test("where each query looks to keys of its own nothing is attempted, and nothing lost but what tells so", async () => {
  const n = 1100, d = 48, shape = [n, d], data = normals(21, n * d).map((x) => 3 * x);
  const value = tensor(normals(22, n * 4).map((x) => x + 1), [n, 4]);
  using device = await openDevice({ prefer: "wasm" });
  for (const method of ["auto", "hyperattention", "tilted-tree", "routed"] as const) {
    const options = { method, epsilon: 0.2, bucketSize: 16, samples: 32, device, checkSeed: 3 } as const;
    const { certificate, stats } = await attention(tensor(data, shape), tensor(data, shape), value, options);
    assertEquals(certificate?.kind, "exact");
    // Rows probed for the direction of P, at most one in 64, and no approximation.
    assertLessOrEqual(stats.keyEvaluations, (1 + 1 / 64 + 1e-3) * n ** 2);
  }
});
