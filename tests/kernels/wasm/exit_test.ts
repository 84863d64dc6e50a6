import { assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { type ChildResult, deno, runChild } from "../../child.ts";

const script = fileURLToPath(new URL("exit_child.ts", import.meta.url));
const hasBun = await runChild("bun", ["--version"]).then(({ code }) => code === 0, () => false);

function assertEnded({ code, stdout, stderr }: ChildResult): void {
  assertMatch(`${stdout}${stderr}exit status ${code}`, /SIMD, 3 threads 2,3\s+exit status 0$/);
}

for (const [what, args] of [["leaves its device open", []], ["destroys its device", ["destroy"]]] as const) {
  Deno.test(`a script that ${what} ends on Deno, and needs no permission`, async () => {
    assertEnded(
      await deno(["run", "--no-lock", "--no-check", "--quiet", script, ...args], { limit: 20_000 }),
    );
  });

  Deno.test({
    name: `a script that ${what} ends on Bun`,
    ignore: !hasBun,
    fn: async () => assertEnded(await runChild("bun", [script, ...args], { limit: 20_000 })),
  });
}
