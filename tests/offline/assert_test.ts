import * as std from "@std/assert";
import { throws } from "node:assert/strict";

// The contract of the part of @std/assert in use; run against whichever of the two is resolved.

Deno.test("assert() passes the truthy and fails the falsy", () => {
  std.assert(1);
  throws(() => std.assert(0, "why"), { message: "why" });
});

Deno.test("assertEquals() compares deeply, typed arrays too, and tells NaN from numbers", () => {
  std.assertEquals({ a: [1, NaN] }, { a: [1, NaN] });
  std.assertEquals(Float32Array.of(1, 2), Float32Array.of(1, 2));
  throws(() => std.assertEquals(Float32Array.of(1, 2), Float32Array.of(1, 3)), std.AssertionError);
  throws(() => std.assertNotEquals([1], [1]), std.AssertionError);
});

Deno.test("assertAlmostEquals() takes an absolute tolerance", () => {
  std.assertAlmostEquals(1, 1.05, 0.1);
  throws(() => std.assertAlmostEquals(1, 1.2, 0.1), std.AssertionError);
  throws(() => std.assertAlmostEquals(NaN, 1, 0.1), std.AssertionError);
});

Deno.test("the order assertions compare and reject NaN", () => {
  std.assertGreater(2, 1);
  std.assertGreaterOrEqual(2, 2);
  std.assertLess(1, 2);
  std.assertLessOrEqual(2, 2);
  throws(() => std.assertLess(NaN, 2), std.AssertionError);
  throws(() => std.assertGreater(1, 2), std.AssertionError);
});

Deno.test("assertThrows() and assertRejects() check class and text and return the error", async () => {
  const thrown = std.assertThrows(
    () => {
      throw new RangeError("must be positive");
    },
    RangeError,
    "positive",
  );
  std.assertInstanceOf(thrown, RangeError);
  throws(() => std.assertThrows(() => 1), std.AssertionError);
  throws(() =>
    std.assertThrows(() => {
      throw new TypeError("x");
    }, RangeError), std.AssertionError);
  await std.assertRejects(() => Promise.reject(new TypeError("no shape")), TypeError, "shape");
});

Deno.test("assertStringIncludes() and assertMatch() look into strings", () => {
  std.assertStringIncludes("certificate", "tif");
  std.assertMatch("n = 12", /\d+/);
  throws(() => std.assertStringIncludes("a", "b"), std.AssertionError);
});
