import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { gaussian } from "../../proofs_checks/inputs/gaussian.ts";
import { addOutliers, attacks, FAR_OUT } from "../../proofs_checks/inputs/outliers.ts";

const input = gaussian.generate({ n: 95, queries: 20, seed: 3, features: 8, valueFeatures: 4 });
const lengthOf = (row: Float32Array) => Math.hypot(...row);
const rootMeanSquare = (data: Float32Array) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / 95);

for (const attack of attacks) {
  Deno.test(`outliers, ${attack}: a twentieth of the keys, as far out as said, between clean ones as they were`, () => {
    const { input: spoilt, outliers } = addOutliers(input, attack, 0.05, 7), keys = spoilt.key.shape[1];
    assertEquals([keys, outliers.length], [100, 5]);
    const rowOf = (name: "key" | "value", row: number) => {
      const { data, shape: [, , width] } = spoilt[name];
      return data.subarray(row * width, (row + 1) * width);
    };
    const left = (name: "key" | "value") =>
      Array.from({ length: keys }, (_, row) => row).filter((row) => !outliers.includes(row))
        .flatMap((row) => [...rowOf(name, row)]);
    assertEquals(left("key"), [...input.key.data]);
    assertEquals(left("value"), [...input.value.data]);
    assertEquals(spoilt.query, input.query);
    for (const row of outliers) {
      const value = lengthOf(rowOf("value", row)) / rootMeanSquare(input.value.data);
      const key = lengthOf(rowOf("key", row)) / rootMeanSquare(input.key.data);
      const copies = attack === "far-values", wanted = copies ? FAR_OUT.farValues : FAR_OUT.values;
      assertLess(Math.abs(value / wanted - 1), 0.11);
      if (!copies) assertLess(Math.abs(key / FAR_OUT.keys - 1), 0.11);
    }
    assertEquals(addOutliers(input, attack, 0.05, 7), addOutliers(input, attack, 0.05, 7));
  });
}

Deno.test("outliers: scattered keys lie along queries", () => {
  const { input: spoilt, outliers } = addOutliers(input, "scattered", 0.05, 7), { data } = spoilt.key;
  for (const row of outliers) {
    const key = data.subarray(row * 8, row * 8 + 8);
    const cosines = Array.from({ length: 20 }, (_, i) => {
      const query = input.query.data.subarray(i * 8, i * 8 + 8);
      return query.reduce((sum, x, t) => sum + x * key[t], 0) / lengthOf(query) / lengthOf(key);
    });
    assertAlmostEquals(Math.max(...cosines), 1, 1e-5);
  }
});
