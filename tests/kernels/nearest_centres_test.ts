import { assertEquals } from "@std/assert";
import type { Backend } from "../../kernels/backend.ts";
import { onEachBackend } from "../backends.ts";
import { besideReference } from "../beside_reference.ts";
import { normals, wordsBelow } from "../data.ts";

onEachBackend("nearestCentres() gives the reference's centres", async (backend) => {
  for (
    const [heads, count, width, centres] of [
      [1, 1, 1, 1],
      [2, 63, 3, 2],
      [3, 65, 5, 9],
      [2, 700, 16, 37],
      [1, 4999, 33, 8],
      [1, 50, 64, 700],
      [1, 20, 1030, 5],
      [2, 0, 4, 3],
    ]
  ) {
    const rows = normals(1, heads * count * width), centre = normals(2, heads * centres * width);
    const record = (on: Backend) => [
      on.nearestCentres({ rows: on.upload(rows), centre: on.upload(centre), heads, count, width, centres }),
    ];
    const { actual, expected } = await besideReference(backend, record);
    assertEquals(actual, expected, `${heads}, ${count}, ${width}, ${centres}`);
  }
});

onEachBackend("nearestCentres() takes the first of centres that are as near", async (backend) => {
  const heads = 2, count = 80, width = 4, centres = 21;
  // Points of a small lattice: many centres are equal, and many distances.
  const lattice = (seed: number, length: number) => Float32Array.from(wordsBelow(seed, length, 3));
  const rows = lattice(3, heads * count * width), centre = lattice(4, heads * centres * width);
  const labels = Uint32Array.from({ length: heads * count }, (_, at) => {
    const own = rows.subarray(at * width, (at + 1) * width);
    const distances = Array.from({ length: centres }, (_, c) => {
      const first = (Math.floor(at / count) * centres + c) * width;
      return own.reduce((sum, x, t) => sum + (x - centre[first + t]) ** 2, 0);
    });
    return distances.indexOf(Math.min(...distances));
  });
  const found = backend.nearestCentres({
    rows: backend.upload(rows),
    centre: backend.upload(centre),
    heads,
    count,
    width,
    centres,
  });
  assertEquals(await backend.run([found]), [labels]);
  backend.reset();
});
