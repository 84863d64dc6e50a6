import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readArray } from "../../files/arrays/read.ts";
import { attention, type Tensor } from "../../mod.ts";
import { cli, runChild } from "../child.ts";
import { deflated, formatZip } from "../files/npy/format_zip.ts";
import { formatNpy, writeNpy } from "../files/npy/write_npy.ts";
import { floatBytes, formatSafetensors } from "../files/safetensors/format_safetensors.ts";
import { largestDifference } from "../precision.ts";
import { arrays, inFolder } from "./array_files.ts";

const { output } = await attention(arrays.q, arrays.k, arrays.v, { method: "exact", device: "reference" });

/** Writes tensors by name, a file of each format; returns their paths. */
async function writeArchives(folder: string, tensors: Readonly<Record<string, Tensor>>): Promise<string[]> {
  const named = Object.entries(tensors), npz = join(folder, "a.npz"), st = join(folder, "a.safetensors");
  const members = named.map(([name, tensor]) => deflated(`${name}.npy`, [formatNpy(tensor)]));
  await writeFile(npz, formatZip(await Promise.all(members)));
  const raw = named.map((
    [name, { data, shape }],
  ) => [name, { dtype: "F32", shape, bytes: floatBytes(data) }]);
  await writeFile(st, formatSafetensors(Object.fromEntries(raw)));
  return [npz, st];
}

/** Arguments of exact attention whose output goes to o.npy. */
const attend = (folder: string, ...args: string[]) => [
  "attend",
  ...["--device", "wasm", "--method", "exact", "--out", join(folder, "o.npy")],
  ...args,
];

async function assertRight(
  folder: string,
  { code, stderr }: { code: number; stderr: string },
): Promise<void> {
  assertEquals([code, stderr], [0, ""]);
  const found = await readArray(join(folder, "o.npy"));
  assertEquals(found.shape, output.shape);
  assert(largestDifference(found.data, output.data) < 1e-5);
}

Deno.test("cli attend --qkv takes queries, keys and values from one file by their usual names", async () => {
  await inFolder(async (folder) => {
    const { q, k, v } = arrays;
    const namings: Record<string, Tensor>[] = [{ v, q, bias: k, k }, { Key: k, Value: v, QUERY: q }];
    for (const tensors of namings) {
      for (const path of await writeArchives(folder, tensors)) {
        const run = await cli(...attend(folder, "--qkv", path));
        await assertRight(folder, run);
        assertEquals(run.stdout.split("\n")[0], path);
      }
    }
  });
});

Deno.test("cli attend takes arrays of an archive by name, beside other files, and a mask from there too", async () => {
  await inFolder(async (folder) => {
    const mask: Tensor = {
      data: Float32Array.from({ length: 40 }, (_, at) => at % 7 ? 1 : 0),
      shape: [2, 20],
    };
    const paths = await writeArchives(folder, { "h.0:q": arrays.q, key: arrays.k, other: arrays.k, mask });
    const v = join(folder, "v.npy"), alone = join(folder, "mask.npy");
    await writeNpy(v, arrays.v);
    await writeNpy(alone, mask);
    for (const path of paths) {
      const inputs = ["--q", `${path}:h.0:q`, "--k", path, "--v", v];
      await assertRight(folder, await cli(...attend(folder, ...inputs)));
      const outputs: Tensor[] = [];
      for (const where of [`${path}:mask`, alone]) {
        const { code, stderr } = await cli(...attend(folder, ...inputs, "--key-mask", where));
        assertEquals([code, stderr], [0, ""]);
        outputs.push(await readArray(join(folder, "o.npy")));
      }
      assertEquals(outputs[0], outputs[1]);
      assert(largestDifference(outputs[0].data, output.data) > 1e-3);
    }
  });
});

Deno.test({
  name: "cli attend --qkv reads both kinds of archives [bun]",
  ignore: spawnSync("bun", ["--version"]).status !== 0,
  async fn() {
    await inFolder(async (folder) => {
      for (const path of await writeArchives(folder, arrays)) {
        const bun = await runChild("bun", ["cli.ts", ...attend(folder, "--qkv", path)]);
        await assertRight(folder, bun);
      }
    });
  },
});

Deno.test("cli compare takes --qkv, and its replay names it", async () => {
  await inFolder(async (folder) => {
    const [, path] = await writeArchives(folder, arrays);
    const args = [
      "compare",
      "--qkv",
      path,
      "--methods",
      "exact",
      "--repeat",
      "1",
      "--device",
      "wasm",
      "--json",
    ];
    const { code, stdout } = await cli(...args);
    const { replay, problem } = JSON.parse(stdout);
    assertEquals([code, problem.description], [0, path]);
    assertStringIncludes(replay, `--qkv ${path}`);
  });
});

Deno.test("cli refuses an archive without the arrays that are wanted, and lists those that it has", async () => {
  await inFolder(async (folder) => {
    const { q, k, v } = arrays;
    for (const path of await writeArchives(folder, { q, query: q, k, values: v })) {
      const cases: [args: string[], message: string][] = [
        [
          ["--q", path, "--k", path, "--v", `${path}:values`],
          `Cannot read ${path}: one of its 4 arrays must be named, as in ${path}:NAME, since 2 are called q or query: it has q, query`,
        ],
        [
          ["--q", `${path}:q`, "--k", path, "--v", path],
          "since none is called v or value: it has q, query, k, values",
        ],
        [
          ["--q", `${path}:Q`, "--k", path, "--v", `${path}:values`],
          `Cannot read ${path}:Q: there is no such array in it: it has q, query, k, values`,
        ],
      ];
      for (const [args, message] of cases) {
        const { code, stdout, stderr } = await cli("attend", ...args);
        assertEquals([code, stdout], [1, ""]);
        assertStringIncludes(stderr, message);
      }
    }
    for (const path of await writeArchives(folder, { hidden: q })) {
      const { code, stderr } = await cli("attend", "--qkv", path);
      assertEquals(code, 1, "one array is not queries, keys and values");
      assertStringIncludes(stderr, "it has hidden");
    }
  });
});

Deno.test("cli refuses --qkv beside other inputs, and what is no archive", async () => {
  const cases: [args: string[], message: string][] = [
    [["--qkv", "a.npz", "--q", "a.npy"], "Give either --qkv or --q, --k and --v"],
    [["--qkv", "a.npz", "--workload", "gaussian"], "Give either --workload or --qkv"],
    [
      ["--qkv", "a.npy"],
      '--qkv must be an .npz or .safetensors file, without the name of an array: got "a.npy"',
    ],
    [["--qkv", "a.npz:q"], 'without the name of an array: got "a.npz:q"'],
    [["--qkv", "-"], 'without the name of an array: got "-"'],
    [["--qkv", "a.npz", "--n", "3"], "--n goes with --workload, not with files"],
  ];
  for (const [args, message] of cases) {
    for (const command of ["attend", "compare"]) {
      const { code, stderr } = await cli(command, ...args);
      assertEquals(code, 2, args.join(" "));
      assertStringIncludes(stderr, message);
    }
  }
});
