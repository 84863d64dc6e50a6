import { assertEquals } from "@std/assert";
import { drawHyperplanes, drawProbes } from "../../../estimators/methods/shared/hash_draws.ts";
import { Purpose, RandomStream } from "../../../kernels/random.ts";

Deno.test("hyperplanes and probes of a head come from streams of their own, whichever heads go together", () => {
  const seed = 3, features = 4, projections = 5, probes = 6, queries = 40;
  const planes = drawHyperplanes(seed, { first: 2, count: 3 }, projections, features);
  const rows = drawProbes(seed, { first: 2, count: 3 }, probes, queries);
  for (const head of [2, 3, 4]) {
    const normals = new RandomStream(seed, Purpose.hyperplanes, head), at = head - 2;
    const size = projections * features, own = planes.subarray(at * size, (at + 1) * size);
    assertEquals(own, Float32Array.from({ length: size }, () => normals.normal()));
    assertEquals(
      rows.subarray(at * probes, (at + 1) * probes),
      new RandomStream(seed, Purpose.probes, head).distinct(probes, queries),
    );
  }
});
