import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { gainLeft } from "../../../estimators/methods/tilted_tree/gain_left.ts";
import { normals } from "../../data.ts";

const keys = 3000, valueFeatures = 6;

function given(value: Float32Array) {
  return { value, keys, valueFeatures };
}

Deno.test("what may be left grows with the cube of the error, whatever the unit of the values", () => {
  const value = normals(1, keys * valueFeatures), output = normals(2, 100 * valueFeatures);
  const own = gainLeft(given(value), output, 0.04),
    near = (x: number) => assertAlmostEquals(x, own, 1e-3 * own);
  assertGreater(own, 0);
  near(gainLeft(given(value), output, 0.12) / 27);
  near(gainLeft(given(value.map((x) => 32 * x)), output.map((x) => 32 * x), 0.04));
  // Outputs twice as large beside the same spread of values may be twice as far off.
  near(gainLeft(given(value), output.map((x) => 2 * x), 0.04) / 8);
});

Deno.test("what all values have in common does not spread them", () => {
  const value = normals(1, keys * valueFeatures), output = normals(2, 100 * valueFeatures);
  const moved = value.map((x, at) => x + 3 * (at % valueFeatures)),
    own = gainLeft(given(value), output, 0.04);
  assertAlmostEquals(gainLeft(given(moved), output, 0.04), own, 1e-3 * own);
});

Deno.test("equal values let all be left, and no output nothing", () => {
  const value = new Float32Array(keys * valueFeatures).fill(2), output = normals(2, 100 * valueFeatures);
  assertEquals(gainLeft(given(value), output, 0.04), Infinity);
  const nothing = gainLeft(given(normals(1, value.length)), output.map(() => 0), 0.04);
  assertEquals(nothing, 0);
});

Deno.test("more keys leave more behind that gains less", () => {
  const output = normals(2, 100),
    ofKeys = (keys: number) => gainLeft({ value: normals(1, keys), keys, valueFeatures: 1 }, output, 0.04);
  assert(ofKeys(65536) < 0.3 * ofKeys(16384), `${ofKeys(65536)}, ${ofKeys(16384)}`);
});
