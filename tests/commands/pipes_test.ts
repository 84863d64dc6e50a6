import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { readArray } from "../../files/arrays/read.ts";
import { attention } from "../../mod.ts";
import { largestDifference } from "../precision.ts";
import { type ChildResult, cli, root, runChild } from "../child.ts";
import { arrays, inFolder, writeArrays } from "./array_files.ts";

/** Runs a line of shell in a folder with q.npy, k.npy and v.npy; `cli` in it is the command line. */
async function shell(folder: string, line: string, program = process.execPath): Promise<ChildResult> {
  const start = program === "bun" ? "bun" : '"$PROGRAM" run -A --quiet --no-lock';
  const script = `set -e; cli() { ${start} "$ROOT/cli.ts" "$@"; }; cd "$FOLDER"; ${line}`;
  return await runChild("bash", ["-c", script], {
    env: { PROGRAM: program, ROOT: root, FOLDER: folder },
    limit: 60_000,
  });
}

const ATTEND = "cli attend --device wasm --method exact";
const { output } = await attention(arrays.q, arrays.k, arrays.v, { method: "exact", device: "reference" });

async function assertRight(folder: string): Promise<void> {
  const found = await readArray(join(folder, "o.npy"));
  assertEquals(found.shape, output.shape);
  assertEquals(largestDifference(found.data, output.data) < 1e-5, true);
}

const hasShell = spawnSync("bash", ["-c", "mkfifo --version"]).status === 0;
const hasBun = spawnSync("bun", ["--version"]).status === 0;

for (const program of ["deno", "bun"]) {
  const ignore = !hasShell || (program === "bun" && !hasBun), name = program === "bun" ? "bun" : undefined;
  Deno.test({
    name:
      `cli attend reads any of its inputs from the standard input and writes its output there [${program}]`,
    ignore,
    async fn() {
      await inFolder(async (folder) => {
        await writeArrays(folder);
        for (const option of ["q", "k", "v"]) {
          const others = ["q", "k", "v"].filter((other) => other !== option).map((other) =>
            `--${other} ${other}.npy`
          );
          const line = `cat ${option}.npy | ${ATTEND} ${others.join(" ")} --${option} - --out - > o.npy`;
          const { code, stdout, stderr } = await shell(folder, line, name);
          assertEquals([code, stdout], [0, ""], stderr);
          assertStringIncludes(stderr, "2 heads, 12 queries × 20 keys");
          await assertRight(folder);
        }
      });
    },
  });

  Deno.test({
    name: `cli attend reads named pipes, written one after another [${program}]`,
    ignore,
    async fn() {
      await inFolder(async (folder) => {
        await writeArrays(folder);
        const line = "mkfifo a b c; (cat q.npy > a; cat k.npy > b; cat v.npy > c) & " +
          `${ATTEND} --q a --k b --v c --out o.npy --json`;
        const { code, stdout, stderr } = await shell(folder, line, name);
        assertEquals([code, stderr], [0, ""]);
        assertEquals(JSON.parse(stdout).n_k, 20);
        await assertRight(folder);
      });
    },
  });
}

Deno.test({
  name: "cli attend refuses a pipe that holds less or more than its header says, or is no array",
  ignore: !hasShell,
  async fn() {
    await inFolder(async (folder) => {
      await writeArrays(folder);
      const cases: [string, string][] = [
        [
          "head -c 300 q.npy",
          "the standard input: header says 2 × 12 × 4 values of 4 bytes, 384 in all, but the file",
        ],
        ["head -c 5 q.npy", "the standard input: not an npy file"],
        ["(cat q.npy; echo)", "but 1 more bytes follow"],
        ["printf ''", "it is empty"],
        ["head -c 100 /dev/zero", "not an npy file"],
        [
          "sed \"s/'shape': (2, 12, 4), }     /'shape': (8, 999999999999)}/\" q.npy",
          "its values must fit into memory: current shape is 8 × 999999999999",
        ],
      ];
      for (const [source, message] of cases) {
        const { code, stderr } = await shell(folder, `${source} | ${ATTEND} --q - --k k.npy --v v.npy`);
        assertEquals(code, 1, source);
        assertStringIncludes(stderr, message);
      }
      const archive = await shell(
        folder,
        "mkfifo a.npz; (cat q.npy > a.npz) & cli attend --q a.npz --k k.npy --v v.npy",
      );
      assertStringIncludes(archive.stderr, "an archive must be a file: it is a pipe or device");
    });
  },
});

Deno.test("cli takes one standard input and one standard output at most", async () => {
  await inFolder(async (folder) => {
    const files = await writeArrays(folder), [, q, , k, , v] = files;
    const cases: [string[], string][] = [
      [
        ["--q", "-", "--k", "-", "--v", v],
        "Only one input can be -, the standard input: got --q - and --k -",
      ],
      [["--q", q, "--k", k, "--v", "-", "--key-mask", "-"], "got --v - and --key-mask -"],
      [[...files, "--out", "-", "--json"], "--out and --json must go to different places: both are -"],
      [
        [...files, "--out", join(folder, "x"), "--json", join(folder, "x")],
        "--out and --json must go to different",
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await cli("attend", ...args);
      assertEquals([code, stdout], [2, ""]);
      assertStringIncludes(stderr, message);
    }
    const compare = await cli("compare", ...files, "--json", "--report", "-");
    assertEquals(compare.code, 2);
    assertEquals((await readdir(folder)).sort(), ["k.npy", "q.npy", "v.npy"]);
  });
});
