import { assertEquals } from "@std/assert";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root, runChild } from "./child.ts";

/** Serves the repository on localhost while the body runs. */
async function whileServing(body: (origin: string) => Promise<void>): Promise<void> {
  const types: Record<string, string> = { ts: "text/typescript", js: "text/javascript" };
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const type = types[path.split(".").pop()!];
    if (!type || path.includes("..")) return new Response("not found", { status: 404 });
    try {
      return new Response(await readFile(join(root, path), "utf8"), { headers: { "content-type": type } });
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
  await body(`http://127.0.0.1:${server.addr.port}`);
}

const consumer = (origin: string, device: string) => `
  import { attention, tensor } from "${origin}/mod.ts";
  const x = tensor(Float32Array.from({ length: 4000 }, (_, at) => Math.sin(at * at)), [500, 8]);
  const { output, stats } = await attention(x, x, x, { method: "kdeformer-practical", device: "${device}" });
  console.log(stats.device, stats.method, output.shape.join("x"), output.data.every(Number.isFinite));`;

Deno.test("a consumer in an empty folder imports mod.ts from a URL and computes", async () => {
  await whileServing(async (origin) => {
    const folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
    try {
      for (const device of ["wasm", "reference"]) {
        await writeFile(join(folder, "consumer.ts"), consumer(origin, device));
        const { code, stdout, stderr } = await runChild(
          process.execPath,
          ["run", "--no-prompt", `--allow-import=${new URL(origin).host}`, "--check", "consumer.ts"],
          { cwd: folder, env: { DENO_DIR: join(folder, "cache") } },
        );
        assertEquals([code, stdout], [0, `${device} kdeformer-practical 500x8 true\n`], stderr);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

Deno.test("the command line runs from a URL", async () => {
  await whileServing(async (origin) => {
    const folder = await mkdtemp(join(tmpdir(), "kdeformer-"));
    try {
      const { code, stdout, stderr } = await runChild(
        process.execPath,
        [
          ...["run", "-A", `${origin}/cli.ts`],
          ...["attend", "--workload", "gaussian", "--n", "256", "--json"],
        ],
        { cwd: folder, env: { DENO_DIR: join(folder, "cache") } },
      );
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(stdout).n_q, 256);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
