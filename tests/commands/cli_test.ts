import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { readArray } from "../../files/arrays/read.ts";
import { writeNpy } from "../files/npy/write_npy.ts";
import { attention, methods, tensor } from "../../mod.ts";
import { webgpuTest } from "../backends.ts";
import { cli, deno } from "../child.ts";
import { normals } from "../data.ts";
import { largestDifference } from "../precision.ts";

/** Q, K and V in files of a folder that is removed afterwards. */
async function withFiles(body: (folder: string, files: string[]) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
  try {
    const files: string[] = [];
    for (const [name, tensor] of Object.entries(inputs)) {
      await writeNpy(join(folder, `${name}.npy`), tensor);
      files.push(`--${name}`, join(folder, `${name}.npy`));
    }
    await body(folder, files);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const inputs = {
  q: tensor(normals(1, 2 * 30 * 8), [2, 30, 8]),
  k: tensor(normals(2, 2 * 50 * 8), [2, 50, 8]),
  v: tensor(normals(3, 2 * 50 * 6), [2, 50, 6]),
};

Deno.test("cli help lists the commands and each explains its options", async () => {
  const overview = await cli("--help");
  assertEquals(overview.code, 0);
  for (
    const command of [
      "attend",
      "compare",
      "demo",
      "doctor",
      "verify",
      "scaling",
      "report",
      "spectrum",
      "kernel-sum",
    ]
  ) {
    assertStringIncludes(overview.stdout, command);
    const { code, stdout } = await cli(command, "--help");
    assertEquals(code, 0);
    assertStringIncludes(stdout, `Usage: cli.ts ${command}`);
  }
});

Deno.test("cli usage errors exit with 2 and suggest what was meant", async () => {
  const cases: [string[], string][] = [
    [[], ""],
    [["atend"], "Unknown command atend; did you mean attend?"],
    [["attend", "--sampels", "3"], "Unknown option --sampels; did you mean --samples?"],
    [["attend", "extra"], 'Unexpected argument "extra" after attend'],
    [["attend"], "attend needs --q, --k and --v, or --workload NAME"],
    [["attend", "--q", "a.npy", "--workload", "gaussian"], "Give either --workload or --q, --k and --v"],
    [["attend", "--workload", "gausian"], "Unknown workload gausian; did you mean gaussian?"],
    [["attend", "--workload", "gaussian", "--n", "1.5"], '--n must be an integer: got "1.5"'],
    [["attend", "--workload", "gaussian", "--n", "-3"], "--n must be at least 1: got -3"],
    [["attend", "--workload", "gaussian", "--seed"], "--seed needs a value: N"],
    [
      ["attend", "--workload", "gaussian", "--method", "magic"],
      `--method must be one of ${methods.join(", ")}: got "magic"`,
    ],
    [
      ["attend", "--workload", "gaussian", "--device", "abacus"],
      '--device must be one of webgpu, wasm, reference: got "abacus"',
    ],
    [
      ["attend", "--workload", "gaussian", "--storage", "f64"],
      '--storage must be one of f32, f16: got "f64"',
    ],
    [
      ["attend", "--workload", "gaussian", "--storage", "f16"],
      "--storage f16 takes --method exact",
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await cli(...args);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, message);
  }
});

Deno.test("cli failures exit with 1 and leave no file", async () => {
  await withFiles(async (folder, files) => {
    const missing = await cli("attend", "--q", "nowhere.npy", ...files.slice(2));
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.stderr, "nowhere.npy");

    await writeFile(join(folder, "text.npy"), "this is no array");
    const malformed = await cli("attend", "--q", join(folder, "text.npy"), ...files.slice(2));
    assertEquals(malformed.code, 1);
    assertStringIncludes(malformed.stderr, "text.npy");

    const bad = await cli("attend", ...files, "--epsilon", "2", "--out", join(folder, "out.npy"));
    assertEquals(bad.code, 2);
    assertStringIncludes(bad.stderr, "--epsilon must lie between 0 and 1: got 2");
    const unwritable = await cli("attend", ...files, "--out", join(folder, "no", "such", "folder.npy"));
    assertEquals(unwritable.code, 1);
    assertEquals((await readdir(folder)).sort(), ["k.npy", "q.npy", "text.npy", "v.npy"]);
  });
});

Deno.test("cli attend writes the output of attention and prints one JSON object", async () => {
  await withFiles(async (folder, files) => {
    const out = join(folder, "out.npy");
    const { code, stdout, stderr } = await cli(
      "attend",
      ...files,
      ...["--method", "exact", "--device", "wasm", "--causal", "--out", out, "--json"],
    );
    assertEquals([code, stderr], [0, ""]);
    const report = JSON.parse(stdout);
    assertEquals(
      [
        report.command,
        report.n_q,
        report.n_k,
        report.d,
        report.d_v,
        report.heads,
        report.method,
        report.device,
      ],
      ["attend", 30, 50, 8, 6, 2, "exact", "wasm"],
    );
    assertEquals(report.certificate, null);
    if (process.platform === "linux") assertPeak(report.peak_bytes);
    else assertEquals(report.peak_bytes, null);
    const { output } = await attention(inputs.q, inputs.k, inputs.v, {
      method: "exact",
      causal: true,
      device: "reference",
    });
    const written = await readArray(out);
    assertEquals(written.shape, [2, 30, 6]);
    assertLess(largestDifference(written.data, output.data), 1e-5);
  });
});

/** A runtime takes tens of megabytes; so small a problem does not take it to a gigabyte. */
function assertPeak(bytes: number): void {
  assert(bytes > 1e7 && bytes < 1e9, `a peak of ${bytes} bytes`);
}

Deno.test("cli attend --compare-exact measures errors and both times", async () => {
  const args = [
    "attend",
    "--workload",
    "gaussian",
    "--n",
    "600",
    "--batch",
    "2",
    "--device",
    "wasm",
    "--compare-exact",
  ];
  const budget = ["--method", "kdeformer-practical", "--bucket", "32", "--samples", "64", "--seed", "5"];
  const { code, stdout } = await cli(...args, ...budget, "--json");
  assertEquals(code, 0);
  const report = JSON.parse(stdout);
  assertEquals(report.seed, 5);
  assert(report.exact_seconds > 0 && report.seconds > 0);
  assert(report.relative_error_output > 0 && report.relative_error_product > 0);
  assert(report.relative_error_product < report.relative_error_output);
  const table = await cli(...args, ...budget);
  assertMatch(table.stdout, /kdeformer-practical +[\d.]+ m?s/);
  assertMatch(table.stdout, /x the speed of exact attention/);
});

Deno.test("cli attend tells the error by rows held out, and warns of an answer that is of little use", async () => {
  const attend = ["attend", "--workload", "gaussian", "--n", "1200", "--device", "wasm", "--seed", "3"];
  const useless = await cli(...attend, "--bucket", "8", "--samples", "24", "--json");
  const report = JSON.parse(useless.stdout);
  assertEquals([report.method, report.fell_back], ["calibrated", null]);
  assert(report.estimated_error > 0.5 && report.held_out_rows >= 6, useless.stdout);
  assertStringIncludes(useless.stderr, `Warning: ${report.warning}`);
  assertStringIncludes(report.warning, "of little use");
  const table = await cli(...attend, "--bucket", "8", "--samples", "24");
  assertMatch(table.stdout, /estimated error 0\.\d+, from \d+ rows held out; no certificate/);
  const exact = await cli(...attend, "--json"), told = JSON.parse(exact.stdout);
  assertEquals([told.method, told.estimated_error, told.held_out_rows, told.warning], ["exact", 0, 0, null]);
  assertEquals(exact.stderr.includes("Warning"), false);
});

Deno.test("cli attend --tolerance tells the estimate and its interval, and --budget is kept to", async () => {
  const attend = ["attend", "--workload", "low-rank", "--n", "6144", "--device", "wasm"];
  const asked = await cli(...attend, "--tolerance", "0.7", "--json"),
    { target, method } = JSON.parse(asked.stdout);
  assert(method !== "exact", asked.stdout);
  assertEquals(target.tolerance, 0.7);
  assert(target.low <= target.error && target.error <= target.high && target.error <= 0.7, asked.stdout);
  const table = await cli(...attend, "--tolerance", "0.7");
  assertMatch(
    table.stdout,
    /error at most 0\.7 .*: estimated 0\.\d+ \(0\.\d+ to \d?\.?\d+\) from \d+ rows; no certificate/,
  );
  const small = await cli("attend", "--workload", "gaussian", "--n", "200", "--tolerance", "0.1");
  assertStringIncludes(small.stdout, "the output is exact");
  const kept = await cli(...attend, "--method", "tilted-tree", "--budget", "150", "--json");
  assert(JSON.parse(kept.stdout).key_evaluations <= 150 * 6144, kept.stdout);
  const refused = await cli(...attend, "--tolerance", "0.1", "--epsilon", "0.1");
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "tolerance takes no epsilon");
});

webgpuTest("cli attend --storage f16 rounds, and tells by how much", async () => {
  const { code, stdout } = await cli(
    ...["attend", "--workload", "gaussian", "--n", "200", "--device", "webgpu", "--method", "exact"],
    ...["--storage", "f16", "--compare-exact", "--repeat", "1", "--json"],
  );
  assertEquals(code, 0);
  const report = JSON.parse(stdout);
  assertEquals([report.method, report.storage], ["exact", "f16"]);
  assert(report.relative_error_output > 1e-6 && report.relative_error_output < 1e-2);
  const certified = await cli(
    ...["attend", "--workload", "gaussian", "--n", "200", "--device", "webgpu", "--method", "exact"],
    ...["--storage", "f16", "--epsilon", "0.4", "--json"],
  );
  const { storage, certificate } = JSON.parse(certified.stdout);
  assertEquals([storage, certificate.holds, certificate.kind], ["f16", true, "exact"]);
});

Deno.test("cli attend with epsilon gives a certificate", async () => {
  const { code, stdout } = await cli(
    ...["attend", "--workload", "clustered", "--n", "300", "--device", "wasm", "--epsilon", "0.1", "--json"],
  );
  assertEquals(code, 0);
  const { certificate, fell_back } = JSON.parse(stdout);
  assertEquals([certificate.holds, certificate.epsilon, certificate.kind], [true, 0.1, "exact"]);
  assertStringIncludes(fell_back, "exact");
});

Deno.test("cli doctor says what works here", async () => {
  const { code, stdout } = await cli("doctor", "--json");
  assertEquals(code, 0);
  const report = JSON.parse(stdout);
  const works = Object.fromEntries(
    report.devices.map((found: { device: string; works: boolean }) => [found.device, found.works]),
  );
  assertEquals([works.wasm, works.reference], [true, true]);
  assertStringIncludes((await cli("doctor")).stdout, "self test passed");
});

Deno.test("cli doctor --tune refuses what are not two widths", async () => {
  for (const widths of ["64", "64x", "0x4", "4x4x4"]) {
    assertEquals((await cli("doctor", "--tune", widths)).code, 2, widths);
  }
});

webgpuTest("cli doctor --tune keeps what it finds for other commands", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kdeformer-")), file = join(folder, "new", "tuning.json");
  const run = (...args: string[]) =>
    deno(["run", "-A", "--no-lock", "cli.ts", ...args], { env: { KDEFORMER_TUNING: file } });
  try {
    const tuned = await run("doctor", "--tune", "4x4");
    assertEquals(tuned.code, 0, tuned.stderr);
    assertStringIncludes(tuned.stdout, `Fastest attention kernels, kept in ${file}`);
    const found = JSON.parse(await readFile(file, "utf8"));
    assertEquals(Object.keys(found.tiles), ["4 x 4"]);
    const attend = [
      "attend",
      "--workload",
      "gaussian",
      "--n",
      "50",
      "--method",
      "exact",
      "--device",
      "webgpu",
      "--json",
    ];
    assertEquals(JSON.parse((await run(...attend)).stdout).device, "webgpu");
    const impossible = { ...found, tiles: { "4 x 4": { kernel: "tiles", lanes: 63, size: 4 } } };
    for (
      const text of ["no JSON", "{}", JSON.stringify(impossible), '{"adapter":"a","tiles":{"4 x 4":null}}']
    ) {
      await writeFile(file, text);
      const told = await run(...attend);
      assertStringIncludes(told.stderr, `Cannot use ${file}`);
      assertEquals(told.code, 0, text);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
