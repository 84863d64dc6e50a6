/**
 * Runs the whole test suite: `deno task test [-- more arguments of deno test]`. Uses @std/assert from JSR, or the
 * stand-in of tests/offline where JSR cannot be reached, and says which. Ends with `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const runtimeDirectory = mkdtempSync(join(tmpdir(), "kdeformer-"));
// Without such a directory every Vulkan driver complains on the error stream.
const environment = {
  ...process.env,
  XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? runtimeDirectory,
  NO_COLOR: "1",
};

/** Runs deno, passing its output on when asked; resolves to exit code and output. */
function deno(args: string[], { show, limit }: { show: boolean; limit?: number }): Promise<[number, string]> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: environment,
      timeout: limit,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]] as const) {
      from.on("data", (chunk) => {
        output += chunk;
        if (show) to.write(chunk);
      });
    }
    child.on("close", (code) => resolve([code ?? 1, output]));
  });
}

const probe = 'import "jsr:@std/assert@^1.0.19";';
const [unreachable] = await deno(["eval", "--no-lock", probe], { show: false, limit: 20_000 });
console.log(
  unreachable
    ? "JSR cannot be reached: tests/offline stands in for @std/assert"
    : "@std/assert comes from JSR",
);
const imports = unreachable ? ["--import-map=tests/offline/import_map.json"] : [];
const [code, output] = await deno(
  ["test", "-A", "--doc", "--no-lock", ...imports, ...process.argv.slice(2)],
  { show: true },
);
rmSync(runtimeDirectory, { recursive: true, force: true });

const counts = output.match(
  /(\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?:.*?(\d+) ignored)?/,
);
const passed = counts ? Number(counts[1]) : 0;
const failed = counts ? Number(counts[2]) : 1;
if (counts?.[3]) console.log(`${counts[3]} tests were SKIPPED: see the warnings above`);
console.log(`\n${passed} passed, ${Math.max(failed, code === 0 ? 0 : 1)} failed`);
process.exitCode = code;
