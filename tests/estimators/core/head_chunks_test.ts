import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { headChunks, submissionBytes } from "../../../estimators/core/head_chunks.ts";
import { makeProblem, type Problem } from "../../../estimators/core/problem.ts";
import type { Backend } from "../../../kernels/backend.ts";
import { ReferenceBackend } from "../../../kernels/reference/backend.ts";
import { tensor } from "../../../mod.ts";

const heads = 7, queries = 10, keys = 20, features = 4, valueFeatures = 3;
/** Bytes of the keys of a head, and of all its rows. */
const keyBytes = 4 * keys * features, headBytes = 4 * (queries + keys) * (features + valueFeatures);

/** A device by its limits. */
function limited(largestArrayBytes: number, memoryBytes: number): Backend {
  return Object.defineProperties(new ReferenceBackend(), {
    largestArrayBytes: { value: largestArrayBytes },
    memoryBytes: { value: memoryBytes },
  });
}

function problem(): Problem {
  const zeros = (rows: number, width: number) =>
    tensor(new Float32Array(heads * rows * width), [heads, rows, width]);
  return makeProblem(zeros(queries, features), zeros(keys, features), zeros(keys, valueFeatures));
}

Deno.test("runs of heads keep to the largest array and to the memory of a submission, and leave no head out", () => {
  for (const [arrays, copies] of [[3, 100], [100, 3], [2, 4], [0.5, 100], [100, 0.5]]) {
    // Half of the memory is for a submission, and sorting and centring keep three more copies.
    const backend = limited(arrays * keyBytes, 2 * 4 * copies * headBytes);
    assertEquals(submissionBytes(backend), 4 * copies * headBytes);
    const told: number[] = [];
    const chunks = [...headChunks(backend, problem(), { onProgress: (done) => told.push(done) })];
    let next = 0;
    for (const { first, count, oversized } of chunks) {
      assertEquals(first, next);
      assertLessOrEqual(count, Math.max(1, Math.floor(Math.min(arrays, copies))));
      assertEquals(oversized, arrays < 1);
      next += count;
    }
    assertEquals(next, heads);
    assertEquals(chunks.length, Math.ceil(heads / Math.max(1, Math.min(arrays, copies))));
    assertEquals(told, [...chunks.map(({ first }) => first), heads]);
  }
});

Deno.test("no run of heads begins after an abort", () => {
  const controller = new AbortController();
  const chunks = headChunks(limited(keyBytes, Infinity), problem(), { signal: controller.signal });
  assertEquals(chunks.next().done, false);
  controller.abort(new Error("enough"));
  assertThrows(() => chunks.next(), Error, "enough");
});
