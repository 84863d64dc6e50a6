import { assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { deno, runChild } from "../../child.ts";

const script = fileURLToPath(new URL("worker_lost_child.ts", import.meta.url));
const hasBun = await runChild("bun", ["--version"]).then(({ code }) => code === 0, () => false);
const runtimes = {
  Deno: (how: string) =>
    deno(["run", "-A", "--no-lock", "--no-check", "--quiet", script, how], { limit: 60_000 }),
  Bun: (how: string) => runChild("bun", [script, how], { limit: 60_000 }),
};

for (const [name, run] of Object.entries(runtimes)) {
  const ignore = name === "Bun" && !hasBun;
  Deno.test({
    name: `a worker that is ended during a call leaves neither it nor the next one hanging, on ${name}`,
    ignore,
    fn: async () => {
      const { stdout, stderr } = await run("named");
      // A runtime may end the worker only when it has done its part.
      assertMatch(stdout.trim(), /^(DeviceLostError|wasm), wasm$/, stderr);
    },
  });
  Deno.test({
    name: `a call on the best device that loses a worker is run again on fresh ones, on ${name}`,
    ignore,
    fn: async () => {
      const { stdout, stderr } = await run("best");
      assertMatch(stdout.trim(), /^wasm, wasm$/, stderr);
    },
  });
}
