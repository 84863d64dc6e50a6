import { assertEquals, assertMatch } from "@std/assert";
import { describeDoubts, type ErrorSums } from "../../../estimators/methods/held_out.ts";

/** A head whose answer errs so much of the output's norm, and whose mean value so much. */
function head(error: number, mean = 1): ErrorSums {
  return { rows: 6, error: 100 * error ** 2, output: 100, spread: 100 * mean ** 2 };
}

Deno.test("an answer is useless, rough, or there is nothing to say", () => {
  assertEquals(describeDoubts("calibrated", []), null);
  assertEquals(describeDoubts("calibrated", [head(0.29), head(0)]), null);
  assertMatch(
    describeDoubts("calibrated", [head(0.4)])!,
    /^calibrated is rough: an error of 0.40 .* 6 rows held out, where the mean value errs by 1.0; use method exact/,
  );
  // Heads that are worse are what counts.
  assertMatch(
    describeDoubts("routed", [head(0.4), head(0.1), head(0.8)])!,
    /^routed is of little use in 1 of 3 heads: an error of 0.80 /,
  );
  assertMatch(
    describeDoubts("routed", [head(0.4), head(0.1), head(0.5)])!,
    /^routed is rough in 2 of 3 heads: an error of 0.45 .* 12 rows/,
  );
  // No better than the mean value; and where there is nothing to tell but that value.
  assertMatch(describeDoubts("calibrated", [head(0.2, 0.21)])!, /^calibrated is of little use/);
  assertEquals(describeDoubts("calibrated", [head(0.04, 0.04)]), null);
});
