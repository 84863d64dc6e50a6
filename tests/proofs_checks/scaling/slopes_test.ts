import { assertAlmostEquals, assertEquals } from "@std/assert";
import { measureScaling } from "../../../proofs_checks/scaling/measure.ts";
import type { ScalingPoint } from "../../../proofs_checks/scaling/report.ts";
import { crossover, withSlopes } from "../../../proofs_checks/scaling/slopes.ts";

const point = (n: number, seconds: number, extrapolated = false): ScalingPoint => ({
  n,
  seconds,
  all_seconds: extrapolated ? [] : [seconds, seconds * 1.1, seconds * 0.9],
  key_evaluations: 192 * n,
  peak_bytes: 1000 * n,
  error: 0.1,
  error_output: 0.1,
  extrapolated,
  fell_back: null,
});
const sizes = [1024, 2048, 4096, 8192, 16384];

Deno.test("withSlopes() finds the exponents, and leaves out what was extrapolated", () => {
  const points = [...sizes.map((n) => point(n, 1e-6 * n)), point(32768, 99, true)];
  const series = withSlopes({ workload: "w", method: "m", mode: "fixed-budget", points }, undefined, 1);
  assertAlmostEquals(series.slope!, 1, 1e-9);
  assertEquals(series.slope_interval!.map((end) => Math.abs(end - 1) < 0.2), [true, true]);
  assertAlmostEquals(series.evaluations_slope!, 1, 1e-9);
  assertAlmostEquals(series.memory_slope!, 1, 1e-9);
  const short = withSlopes({ ...series, points: points.slice(0, 2) }, undefined, 1);
  assertEquals([short.slope, short.slope_interval, short.memory_slope], [null, null, null]);
});

Deno.test("crossover() interpolates where one becomes faster for good", () => {
  // 1 ms + 1 µs n against n²/2²⁰ ms: equal where n² = 2²⁰ (1 + n/1000).
  const fast = sizes.map((n) => point(n, 1e-3 + 1e-6 * n)),
    exact = sizes.map((n) => point(n, 1e-3 * n ** 2 / 2 ** 20));
  const found = crossover(fast, exact)!;
  assertAlmostEquals(found, 1669, 60);
  assertEquals(crossover(sizes.map((n) => point(n, 9)), exact), null);
  assertEquals(crossover(sizes.map((n) => point(n, 1e-9)), exact), 1024);
});

Deno.test("measureScaling() measures three modes, linear counts and errors against exact rows", async () => {
  const report = await measureScaling({ min: 512, max: 2048, workloads: ["clustered"], device: "wasm" });
  assertEquals(report.series.map(({ mode }) => mode), ["exact", "fixed-budget", "fixed-epsilon"]);
  const [exact, budget, certified] = report.series;
  assertAlmostEquals(exact.evaluations_slope!, 2, 1e-9);
  assertAlmostEquals(budget.evaluations_slope!, 1, 0.1);
  for (const { n, error, all_seconds: seconds } of budget.points) {
    assertEquals([n >= 512, error! > 0, seconds.length >= 2], [true, true, true]);
  }
  for (const { error } of [...exact.points, ...certified.points]) assertAlmostEquals(error!, 0, 1e-5);
  assertEquals(JSON.parse(JSON.stringify(report)), report);
});
