import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { writeNpy } from "./write_npy.ts";
import { tensor } from "../../../kernels/tensor.ts";

const child = fileURLToPath(new URL("npy_write_child.ts", import.meta.url));
const canMount = spawnSync("unshare", ["-rm", "true"]).status === 0;

/** Runs the child on a folder of its own, from a shell that first does `before` ($1 is the folder). */
async function writeTooMuch(
  command: string,
  before: string,
): Promise<{ message: string; files: string[]; shape: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), "npy-"));
  try {
    const script = `${before} && exec "$PROGRAM" run -A --no-lock --no-config "$2" "$1"`;
    const isolate = command === "unshare" ? ["-rm", "sh"] : [];
    const run = spawnSync(command, [...isolate, "-c", script, "sh", folder, child], {
      // Not an argument: Deno's spawnSync rewrites arguments that name its own executable.
      env: { ...process.env, PROGRAM: process.execPath },
      encoding: "utf8",
    });
    if (run.status !== 0) throw new Error(`the child failed: ${run.stderr}`);
    return JSON.parse(run.stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

Deno.test({
  name: "writeNpy() on a full disk keeps the old file and leaves nothing else",
  ignore: !canMount,
  async fn() {
    // The mount lives in the child's own name space and goes with it.
    const report = await writeTooMuch("unshare", 'mount -t tmpfs -o size=128k tmpfs "$1"');
    assertEquals(report, {
      message: "Cannot write /o.npy: the disk is full",
      files: ["o.npy"],
      shape: [1, 2],
    });
  },
});

Deno.test({
  name: "writeNpy() beyond the file size limit keeps the old file and leaves nothing else",
  ignore: process.platform === "win32",
  async fn() {
    const { message, ...rest } = await writeTooMuch("bash", "trap '' XFSZ && ulimit -f 256");
    assertMatch(message, /^Cannot write \/o\.npy: /);
    assertEquals(rest, { files: ["o.npy"], shape: [1, 2] });
  },
});

Deno.test({
  name: "writeNpy() writes into a device and never replaces it",
  ignore: !existsSync("/dev/full"),
  async fn() {
    await assertRejects(
      () => writeNpy("/dev/full", tensor([1], [1, 1])),
      Error,
      "Cannot write /dev/full: the disk is full",
    );
    await writeNpy("/dev/null", tensor([1], [1, 1]));
  },
});
