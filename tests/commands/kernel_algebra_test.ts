import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { kernelSum, softmaxSpectrum, tensor } from "../../mod.ts";
import { families } from "../../proofs_checks/inputs/families.ts";
import { Oracle } from "../../proofs_checks/measures/oracle.ts";
import { cli } from "../child.ts";
import { normals } from "../data.ts";
import { writeNpy } from "../files/npy/write_npy.ts";
import { arrays, inFolder, writeArrays } from "./array_files.ts";

Deno.test("cli kernel-sum prints the sum that the library finds, for each kernel", () =>
  inFolder(async (folder) => {
    const points = tensor(normals(1, 4000 * 2, 2), [4000, 2]), file = join(folder, "points.npy");
    await writeNpy(file, points);
    for (const kernel of ["gaussian", "exponential", "laplace"] as const) {
      const asked = { kernel, bandwidth: 0.5, epsilon: 0.8, delta: 0.2, seed: 7 };
      const expected = await kernelSum(points, { ...asked, device: "wasm" });
      assertLess(expected.samples, 4000);
      const words = Object.entries(asked).flatMap(([name, value]) => [`--${name}`, String(value)]);
      const { code, stdout, stderr } = await cli("kernel-sum", file, ...words, "--device", "wasm", "--json");
      assertEquals([code, stderr], [0, ""]);
      const report = JSON.parse(stdout);
      assertAlmostEquals(report.sum / expected.sum, 1, 1e-9);
      assertEquals(
        [report.command, report.n, report.d, report.kernel, report.exact, report.seed, report.device],
        ["kernel-sum", 4000, 2, kernel, false, 7, "wasm"],
      );
      assertEquals(
        [report.samples, report.groups, report.kernel_evaluations],
        [expected.samples, expected.groups, expected.kernelEvaluations],
      );
    }
    const { stdout } = await cli(
      "kernel-sum",
      file,
      "--epsilon",
      "0.8",
      "--delta",
      "0.2",
      "--device",
      "wasm",
    );
    assertMatch(stdout, /gaussian +[\d.e+]+ +[\d.e-]+ +[\d.e+]+ +0\.\d+ +[\d.]+ m?s/);
    assertStringIncludes(stdout, "within a factor 1 ± 0.8 with probability 0.8: ");
    const small = join(folder, "small.npy");
    await writeNpy(small, tensor([0, 1], [2, 1]));
    const exact = await cli("kernel-sum", small, "--device", "reference");
    assertStringIncludes(exact.stdout, "exact but for rounding");
    assertStringIncludes(exact.stdout, "3.21");
  }));

Deno.test("cli kernel-sum and spectrum refuse what does not fit, as mistakes in their use", async () => {
  const cases: [string[], string][] = [
    [["kernel-sum"], "kernel-sum needs FILE.npy, before its options"],
    [["kernel-sum", "--kernel", "laplace"], "kernel-sum needs FILE.npy, before its options"],
    [["kernel-sum", "a.npy", "b.npy"], 'Unexpected argument "b.npy" after kernel-sum'],
    [["kernel-sum", "a.npy", "--kernel", "laplce"], "did you mean laplace?"],
    [["kernel-sum", "a.npy", "--epsilon", "1"], "--epsilon must lie between 0 and 1: got 1"],
    [["kernel-sum", "a.npy", "--bandwidth", "0"], "--bandwidth must be a positive number: got 0"],
    [["kernel-sum", "a.npy", "--seed", "-1"], "--seed must be an integer from 0"],
    [["kernel-sum", "a.npy", "--device", "reference", "--threads", "2"], "--threads goes with --device wasm"],
    [["spectrum"], "spectrum needs --q and --k, or --workload NAME"],
    [["spectrum", "--q", "a.npy"], "spectrum needs --q and --k, or --workload NAME"],
    [["spectrum", "--q", "a.npy", "--workload", "gaussian"], "Give either --workload or --q and --k"],
    [["spectrum", "--q", "-", "--k", "-"], "Only one input can be -"],
    [["spectrum", "--q", "a.npy", "--k", "b.npy", "--n", "5"], "--n goes with --workload, not with files"],
    [["spectrum", "--workload", "gaussian", "--rows", "9"], "--rows goes with --method sampled"],
    [
      ["spectrum", "--workload", "gaussian", "--method", "sampled", "--tolerance", "0.1"],
      "--tolerance goes with --method exact",
    ],
    [
      ["spectrum", "--workload", "gaussian", "--method", "sampled", "--rows", "3"],
      "--rows must be an integer from 4",
    ],
    [
      ["spectrum", "--workload", "gaussian", "--leading", "33"],
      "--leading must be an integer from 1 to 32: got 33",
    ],
    [["spectrum", "--workload", "gaussian", "--method", "guess"], "--method must be one of exact, sampled"],
    [["spectrum", "--workload", "gausian"], "did you mean gaussian?"],
    [["spectrum", "--causal"], "Unknown option --causal"],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await cli(...args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, message);
  }
});

Deno.test("cli spectrum prints the spectrum of a workload, exact and sampled, with its bounds", async () => {
  const workload = ["spectrum", "--workload", "clustered", "--n", "400", "--device", "wasm", "--seed", "5"];
  const { code, stdout, stderr } = await cli(...workload, "--json");
  assertEquals([code, stderr], [0, ""]);
  const report = JSON.parse(stdout), [{ norm, key_evaluations: evaluations, residuals }] = report.heads;
  const oracle = new Oracle(families.find(({ name }) => name === "clustered")!.generate({ n: 400, seed: 5 }));
  assertLess(Math.abs(norm.lower / oracle.softmaxNorm - 1), 1e-5);
  assert(norm.lower <= norm.upper && norm.upper <= norm.lower * 1.001 * (1 + 1e-6));
  assertEquals([report.command, report.n_q, report.sampled, report.delta], ["spectrum", 400, false, null]);
  assertEquals(residuals.length, 4);
  assertEquals(evaluations % 400 ** 2, 0);
  const asked = ["--method", "sampled", "--rows", "100", "--delta", "0.1"];
  const sampled = JSON.parse((await cli(...workload, ...asked, "--json")).stdout);
  assertEquals([sampled.sampled, sampled.delta, sampled.heads[0].residuals[0]], [true, 0.1, null]);
  assertEquals(sampled.heads[0].key_evaluations, 100 * 400);
  const text = await cli(...workload, ...asked);
  assertStringIncludes(text.stdout, "bounds hold with probability 0.9 for each head");
  const table = await cli(...workload);
  assertStringIncludes(table.stdout, "bounds hold but for rounding");
  assertMatch(table.stdout, /^ +0 +\d\.\d+/m);
});

Deno.test("cli spectrum reads queries and keys from files, each head by itself", () =>
  inFolder(async (folder) => {
    const files = await writeArrays(folder), json = join(folder, "a.json");
    const { code, stdout } = await cli(
      "spectrum",
      ...files.slice(0, 4),
      "--device",
      "reference",
      "--json",
      json,
    );
    assertEquals(code, 0);
    assertStringIncludes(stdout, "2 heads");
    const { heads } = JSON.parse(await readFile(json, "utf8"));
    const expected = await softmaxSpectrum(arrays.q, arrays.k, { device: "reference", seed: 1 });
    assertEquals(heads.length, expected.length);
    expected.forEach(({ norm }, head) => assertAlmostEquals(heads[head].norm.lower, norm.lower, 1e-9));
  }));
