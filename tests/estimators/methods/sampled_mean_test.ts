import { assert, assertEquals, assertLess } from "@std/assert";
import { sampledMean } from "../../../estimators/methods/shared/sampled_mean.ts";
import { onEachBackend } from "../../backends.ts";
import { normals } from "../../data.ts";

const heads = 2, width = 3;

onEachBackend("sampledMean() is near the mean of many rows and moves with them", async (backend) => {
  const count = 5000, rows = normals(1, heads * count * width), offset = [40, -7, 0.5];
  const moved = rows.map((x, at) => x + offset[at % width]);
  const [mean, shifted, exact] = await backend.run([
    sampledMean(backend, { rows: backend.upload(rows), heads, count, width }),
    sampledMean(backend, { rows: backend.upload(moved), heads, count, width }),
    backend.columnMean({ rows: backend.upload(rows), heads, count, width }),
  ]);
  assertEquals(mean.length, heads * width);
  for (let at = 0; at < mean.length; at++) {
    // Five standard deviations of the mean of 512 rows.
    assertLess(Math.abs(mean[at] - exact[at]), 5 / Math.sqrt(512));
    assertLess(Math.abs(shifted[at] - mean[at] - offset[at % width]), 40 * 2 ** -20);
  }
  assert(mean.some((x, at) => x !== exact[at]), "a sample of the rows");
  backend.reset();
});

onEachBackend(
  "sampledMean() of few rows is their mean, of equal rows the row, to the bit",
  async (backend) => {
    const few = backend.upload(normals(2, heads * 512 * width));
    const equal = backend.upload(
      Float32Array.from({ length: heads * 999 * width }, (_, at) => 0.1 + at % width),
    );
    const [sampled, mean, constant] = await backend.run([
      sampledMean(backend, { rows: few, heads, count: 512, width }),
      backend.columnMean({ rows: few, heads, count: 512, width }),
      sampledMean(backend, { rows: equal, heads, count: 999, width }),
    ]);
    assertEquals(sampled, mean);
    assertEquals(
      constant,
      Float32Array.from({ length: heads * width }, (_, at) => Math.fround(0.1 + at % width)),
    );
    backend.reset();
  },
);
