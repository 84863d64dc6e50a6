import { assertEquals, assertLessOrEqual } from "@std/assert";
import { EMPTY } from "../../kernels/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals } from "../data.ts";
import { largestDifference } from "../precision.ts";

const heads = 2, queries = 53, valueFeatures = 15;
const shape = { heads, queries, valueFeatures };
const rows = heads * queries;

onEachBackend("mergeAttention() weighs parts by their log-sum-exp", async (backend) => {
  for (const spread of [1, 300, 1e4]) {
    const { actual, expected } = await besideReference(backend, (on) => {
      const part = (seed: number) => ({
        output: on.upload(normals(seed, rows * valueFeatures)),
        logSumExp: on.upload(normals(seed + 1, rows, spread)),
      });
      const merged = on.mergeAttention({ ...shape, first: part(1), second: part(3) });
      return [merged.output, merged.logSumExp];
    });
    // The weights carry the rounding of a difference of log-sum-exps of that size.
    assertLessOrEqual(
      largestDifference(actual[0], expected[0]),
      1e-6 * Math.max(1, spread),
      `spread ${spread}`,
    );
    assertLessOrEqual(
      largestDifference(actual[1], expected[1]),
      5e-7 * Math.max(1, spread),
      `spread ${spread}`,
    );
  }
});

onEachBackend(
  "mergeAttention() ignores an empty part, to the bit, and keeps an empty row empty",
  async (backend) => {
    const output = normals(1, rows * valueFeatures), logSumExp = normals(2, rows);
    const empty = {
      output: new Float32Array(rows * valueFeatures),
      logSumExp: new Float32Array(rows).fill(EMPTY),
    };
    const upload = (part: { output: Float32Array; logSumExp: Float32Array }) => ({
      output: backend.upload(part.output),
      logSumExp: backend.upload(part.logSumExp),
    });
    const left = backend.mergeAttention({
      ...shape,
      first: upload({ output, logSumExp }),
      second: upload(empty),
    });
    const right = backend.mergeAttention({
      ...shape,
      first: upload(empty),
      second: upload({ output, logSumExp }),
    });
    const none = backend.mergeAttention({ ...shape, first: upload(empty), second: upload(empty) });
    const results = await backend.run([left.output, right.output, none.output, none.logSumExp]);
    assertEquals(results, [output, output, empty.output, Float32Array.from(empty.logSumExp)]);
  },
);
