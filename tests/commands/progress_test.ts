import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { progressText } from "../../commands/progress.ts";
import { root, runChild } from "../child.ts";
import { inFolder } from "./array_files.ts";

Deno.test("progressText() draws shares of a whole in a line that fits the terminal", () => {
  assertEquals(progressText(1, 4, "timing", 80), `[${"#".repeat(6)}${"-".repeat(18)}]  25 % timing`);
  assertEquals(progressText(4, 4, "timing", 80).slice(0, 34), `[${"#".repeat(24)}] 100 % t`);
  for (const [done, total] of [[0, 0], [5, 0], [-1, 3], [7, 3], [NaN, 3]]) {
    assertEquals(progressText(done, total, "x", 80).indexOf("]"), 25, `${done} of ${total}`);
  }
  assertEquals(progressText(1, 2, "a long name of what is done", 40).length, 39);
});

const hasTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

Deno.test({
  name: "A command on a terminal needs no network to show progress",
  ignore: !hasTerminal,
  async fn() {
    // A proxy that takes every connection and never answers: what waits for it waits for ever.
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on("error", () => {})));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", () => resolve()));
    const { port } = silent.address() as { port: number };
    try {
      await inFolder(async (folder) => {
        const proxy = `http://127.0.0.1:${port}`;
        // No lock file and an empty cache: nothing that was fetched before helps.
        const command =
          '"$PROGRAM" run -A --no-lock cli.ts attend --workload gaussian --n 1500 --device wasm --method exact ' +
          "--compare-exact --repeat 3";
        const { code, stdout } = await runChild("script", ["-qec", command, "/dev/null"], {
          cwd: root,
          env: {
            PROGRAM: process.execPath,
            DENO_DIR: folder,
            DENO_NO_UPDATE_CHECK: "1",
            HTTPS_PROXY: proxy,
            HTTP_PROXY: proxy,
          },
          limit: 60_000,
        });
        assertEquals(code, 0, stdout);
        assertStringIncludes(stdout, " % ");
        assert(/exact +[\d.]+ m?s/.test(stdout), stdout);
        assertEquals(sockets.length, 0, "connections");
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    }
  },
});
