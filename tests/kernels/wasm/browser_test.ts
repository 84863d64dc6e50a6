import { assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { deno } from "../../child.ts";

const script = fileURLToPath(new URL("browser_child.ts", import.meta.url));

async function assertAdapter(lacking: string, adapter: RegExp): Promise<void> {
  const child = await deno(["run", "--no-lock", "--no-check", "--quiet", script, lacking], { limit: 20_000 });
  assertMatch(`${child.stdout}${child.stderr}`, adapter);
}

Deno.test("web workers beside a main thread that may not sleep, as in browsers, pass the self test", async () => {
  await assertAdapter("sleep", /^WebAssembly.*SIMD, 3 threads\s*$/);
});

Deno.test("one thread passes the self test where workers are forbidden", async () => {
  await assertAdapter("workers", /^WebAssembly.*SIMD, 1 thread \(workers cannot be started\)\s*$/);
});

Deno.test("one thread passes the self test where a page is not cross-origin isolated", async () => {
  await assertAdapter("isolation", /^WebAssembly.*SIMD, 1 thread \(memory cannot be shared\)\s*$/);
});
