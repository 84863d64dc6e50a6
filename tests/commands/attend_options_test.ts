import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readArray } from "../../files/arrays/read.ts";
import { writeNpy } from "../files/npy/write_npy.ts";
import { loadWorkload } from "../../workloads/workloads.ts";
import { attention, tensor } from "../../mod.ts";
import { largestDifference } from "../precision.ts";
import { cli, deno } from "../child.ts";
import { arrays, inFolder, writeArrays } from "./array_files.ts";

const gaussian = ["attend", "--workload", "gaussian", "--n", "300", "--device", "wasm"];

Deno.test("cli --version and help COMMAND", async () => {
  const { version } = JSON.parse(await readFile(new URL("../../deno.json", import.meta.url), "utf8"));
  assertEquals((await cli("--version")).stdout, `kdeformer ${version}\n`);
  for (const command of ["attend", "report"]) {
    const [asked, own] = [await cli("help", command), await cli(command, "--help")];
    assertEquals([asked.code, asked.stdout], [0, own.stdout]);
    assertStringIncludes(asked.stdout, `Usage: cli.ts ${command}`);
  }
  const unknown = await cli("help", "attendd");
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "Unknown command attendd; did you mean attend?");
});

Deno.test("cli refuses options that do not apply, and values that the library refuses, with 2", async () => {
  await inFolder(async (folder) => {
    const files = ["attend", ...await writeArrays(folder)];
    const cases: [string[], string][] = [
      [[...files, "--n", "7"], "--n goes with --workload, not with files"],
      [[...files, "--batch", "2"], "--batch goes with --workload, not with files"],
      [[...files, "--head", "1.1"], "--head goes with --workload, not with files"],
      [["compare", ...files.slice(1), "--n", "7"], "--n goes with --workload, not with files"],
      [
        [...files, "--device", "reference", "--threads", "2"],
        "--threads goes with --device wasm, not with reference",
      ],
      [[...files, "--delta", "0.1"], "--delta goes with --epsilon"],
      [[...files, "--certify", "bound"], "--certify goes with --epsilon"],
      [[...files, "--repeat", "2"], "--repeat goes with --compare-exact"],
      [
        [...files, "--certify", "bonud", "--epsilon", "0.2"],
        '--certify must be one of bound, estimate: got "bonud"; did you mean bound?',
      ],
      [[...files, "--seed", "-2"], "--seed must be an integer from 0 to 2^53 − 1: got -2"],
      [[...files, "--seed", "1e300"], "--seed must be an integer from 0 to 2^53 − 1: got 1e+300"],
      [
        [...files, "--bucket", "88888888888"],
        "--bucket must be an integer from 1 to 1073741824: got 88888888888",
      ],
      [[...files, "--samples", "0"], "--samples must be an integer from 1 to 1073741824: got 0"],
      [[...files, "--projections", "31"], "--projections must be an integer from 1 to 24: got 31"],
      [[...files, "--epsilon", "1.5"], "--epsilon must lie between 0 and 1: got 1.5"],
      [[...files, "--epsilon", "0.5", "--delta", "0"], "--delta must lie between 0 and 1: got 0"],
      [["attend", "--workload", "gaussian", "--head", "1.0"], "head can be chosen for"],
      [["attend", "--workload", "t2t-vit-2", "--n", "100"], "n is fixed at 784"],
      [["attend", "--workload", "constructor"], "Unknown workload constructor; workloads: glove, "],
      [["attend", "--workload", "__proto__"], "Unknown workload __proto__; workloads: glove, "],
      [["attend", "--workload", "gaussian", "--method", "toString"], "--method must be one of auto, "],
      [["attend", "--toString=5"], "Unknown option --toString"],
      [["constructor"], "Unknown command constructor; commands: attend, "],
      [["verify", "--claim", "__proto__"], "Unknown claim __proto__; see --list"],
      [["verify", "--family", "constructor"], "Unknown family constructor; see --list"],
      [["verify", "--seed", "-1"], "--seed must be an integer from 0 to 2^53 − 1: got -1"],
      [["scaling", "--seed", "-1"], "--seed must be an integer from 0 to 2^53 − 1: got -1"],
      [["scaling", "--workload", "toString"], "Unknown workload toString"],
      [["scaling", "--method", "valueOf"], "--method must be one of auto, "],
      [["compare", "--workload", "gaussian", "--methods", "constructor"], "Unknown method constructor"],
      [["demo", "--n", "0"], "--n must be at least 1: got 0"],
      [["demo", "--device", "gpu"], "--device must be one of webgpu, wasm, reference"],
    ];
    await Promise.all(cases.map(async ([args, message]) => {
      const { code, stdout, stderr } = await cli(...args);
      assertEquals([code, stdout], [2, ""], args.join(" "));
      assertStringIncludes(stderr, message);
    }));
  });
});

Deno.test("cli attend --key-mask hides keys, by truth values or numbers, shared or of each head", async () => {
  await inFolder(async (folder) => {
    const files = await writeArrays(folder), { q, k, v } = arrays;
    const seen = Array.from({ length: 40 }, (_, at) => at % 7 === 2 || at % 5 === 1 ? 1 : 0);
    for (const mask of [seen, seen.slice(0, 20)]) {
      const path = join(folder, "mask.npy"), out = join(folder, "out.npy");
      // A vector is written in a shape that numpy gives it: one dimension.
      await writeNpy(path, tensor(mask, mask.length === 20 ? [20] : [2, 20]));
      for (const method of ["exact", "calibrated"]) {
        const options = ["--device", "wasm", "--method", method, "--key-mask", path, "--out", out];
        const { code, stderr } = await cli("attend", ...files, ...options);
        assertEquals([code, stderr], [0, ""]);
        const { output } = await attention(q, k, v, {
          keyMask: mask,
          method: method as "exact",
          seed: 1,
          device: "reference",
        });
        assert(largestDifference((await readArray(out)).data, output.data) < 1e-5);
      }
    }
  });
});

Deno.test("cli attend --key-mask refuses other shapes and values", async () => {
  await inFolder(async (folder) => {
    const files = await writeArrays(folder), path = join(folder, "mask.npy");
    const cases: [number[], number[], string][] = [
      [
        Array(12).fill(1),
        [12],
        "must have the shape [20] or [2, 20], as key has [2, 20, 4]: current shape is [12]",
      ],
      [Array(40).fill(1), [20, 2], "current shape is [20, 2]"],
      [Array(40).fill(1), [40], "current shape is [40]"],
      [[...Array(19).fill(1), 0.5], [20], "must be 0 (hidden) or 1 (seen): value 19 is 0.5"],
      [[NaN, ...Array(19).fill(1)], [20], "value 0 is NaN"],
      [Array(20).fill(0), [20], "keyMask must leave at least one key"],
    ];
    for (const [values, shape, message] of cases) {
      await writeNpy(path, tensor(values, shape));
      const { code, stdout, stderr } = await cli("attend", ...files, "--device", "wasm", "--key-mask", path);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, message);
    }
    const missing = await cli("attend", ...files, "--key-mask", join(folder, "none.npy"));
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.stderr, "none.npy: no such file or folder");
  });
});

Deno.test("cli attend --certify chooses what the certificate rests on", async () => {
  const args = [
    "attend",
    "--workload",
    "gaussian",
    "--n",
    "4096",
    "--device",
    "wasm",
    "--epsilon",
    "0.8",
    "--json",
  ];
  for (const certify of ["bound", "estimate"]) {
    const { code, stdout } = await cli(...args, "--certify", certify);
    assertEquals(code, 0);
    assertEquals(JSON.parse(stdout).certificate.kind, certify);
  }
});

Deno.test("What attend reports repeats it: the seeds of workload and method", async () => {
  const attend = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(...gaussian, "--method", "kdeformer-practical", ...args);
    assertEquals([code, stderr], [0, ""]);
    return JSON.parse(stdout);
  };
  await inFolder(async (folder) => {
    const outputs: Float32Array[] = [];
    const out = async (name: string, ...args: string[]) => {
      const report = await attend(
        "--bucket",
        "8",
        "--samples",
        "8",
        "--out",
        join(folder, name),
        "--json",
        ...args,
      );
      outputs.push((await readArray(join(folder, name))).data);
      return report;
    };
    const first = await out("a.npy");
    assertEquals(first.seed, first.workload_seed);
    await out("b.npy", "--seed", String(first.seed));
    await out("c.npy", "--seed", String(first.seed + 1));
    assertEquals(largestDifference(outputs[1], outputs[0]), 0);
    assert(largestDifference(outputs[2], outputs[0]) > 0.01);
    // The workload's default is the command's.
    const { query, key, value, scale } = await loadWorkload("gaussian", { n: 300 });
    const options = {
      method: "kdeformer-practical",
      bucketSize: 8,
      samples: 8,
      scale,
      seed: first.seed,
    } as const;
    const { output } = await attention(query, key, value, { ...options, device: "reference" });
    assert(largestDifference(outputs[0], output.data) < 1e-3);

    const files = await writeArrays(folder);
    const ofFiles = JSON.parse((await cli("attend", ...files, "--json")).stdout);
    assertEquals([ofFiles.seed, ofFiles.workload_seed], [first.seed, null]);
  });
});

Deno.test("--json is alike in every command: alone or - for the output, else a file beside the text", async () => {
  const uses: [string[], string][] = [
    [gaussian, "attend"],
    [["doctor"], "doctor"],
    [["verify", "--claim", "gray-order", "--runs", "2"], "kdeformer-verification"],
    [["scaling", "--min", "64", "--max", "64", "--workload", "gaussian"], "kdeformer-scaling"],
    [
      [
        "compare",
        "--workload",
        "gaussian",
        "--n",
        "60",
        "--methods",
        "exact",
        "--repeat",
        "1",
        "--device",
        "wasm",
      ],
      "kdeformer-comparison",
    ],
  ];
  await inFolder(async (folder) => {
    await Promise.all(uses.map(async ([args, name]) => {
      const [command, ...rest] = args, json = join(folder, `${command}.json`);
      // Another option follows the last one, or nothing: neither is a file.
      for (
        const all of [[...args, "--json"], [command, "--json", "-", ...rest], [command, "--json", ...rest]]
      ) {
        const { code, stdout, stderr } = await cli(...all);
        assertEquals([code, stderr], [0, ""]);
        const { schema, command: called } = JSON.parse(stdout);
        assertEquals(schema ?? called, name);
      }
      const { code, stdout } = await cli(...args, "--json", json);
      assertEquals(code, 0);
      assert(!stdout.startsWith("{") && stdout.length > 50, stdout);
      const { schema, command: called } = JSON.parse(await readFile(json, "utf8"));
      assertEquals(schema ?? called, name);
    }));
    assertEquals((await readdir(folder)).length, uses.length);
  });
});

Deno.test("Every output is looked at before the work", async () => {
  await inFolder(async (folder) => {
    const nowhere = join(folder, "none", "x");
    const uses = [
      ["attend", "--workload", "gaussian", "--n", "1000000", "--method", "exact", "--out"],
      ["attend", "--workload", "gaussian", "--n", "1000000", "--method", "exact", "--json"],
      ["compare", "--workload", "gaussian", "--n", "1000000", "--json"],
      ["compare", "--workload", "gaussian", "--n", "1000000", "--report"],
      ["verify", "--runs", "1000000", "--json"],
      ["verify", "--runs", "1000000", "--report"],
      ["scaling", "--max", "131072", "--json"],
      ["scaling", "--max", "131072", "--report"],
      ["doctor", "--json"],
    ];
    for (const args of uses) {
      for (const [path, reason] of [[nowhere, "no such file or folder"], [folder, "it is a folder"]]) {
        const { code, stdout, stderr } = await cli(...args, path);
        assertEquals([code, stdout], [1, ""], args.join(" "));
        assertEquals(stderr, `Cannot write ${path}: ${reason}\n`);
      }
    }
    assertEquals(await readdir(folder), []);
  });
});

Deno.test("A page whose plots cannot be drawn is noticed before the work", async () => {
  await inFolder(async (folder) => {
    const page = join(folder, "page.html"), proxy = "http://127.0.0.1:9";
    // Nothing fetched before, and a network in which nothing answers.
    const env = { DENO_DIR: folder, HTTPS_PROXY: proxy, HTTP_PROXY: proxy };
    const args = [
      "run",
      "-A",
      "--quiet",
      "--no-lock",
      "cli.ts",
      "verify",
      "--runs",
      "1000000",
      "--report",
      page,
    ];
    const { code, stdout, stderr } = await deno(args, { env });
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "Cannot draw plots: ");
  });
});
