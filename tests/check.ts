/** Every check but the tests: `deno task check`. */
import process from "node:process";
import { assertSource, deno } from "./child.ts";

const { args } = await assertSource();
const checks = [
  ["fmt", "--check"],
  ["lint"],
  ["check", ...args, "."],
  ["doc", "--lint", "mod.ts"],
  ["publish", "--dry-run", "--allow-dirty"],
  ["run", "-A", "--no-lock", "kernels/build.ts", "--check"],
  ["run", "-A", "--no-lock", "kernels/wasm/build.ts", "--check"],
  ["run", "-A", "--no-lock", "tests/structure/check.ts"],
  ["run", "-A", "--no-lock", "tests/docs/write.ts", "--check"],
  ["run", "-A", "--no-lock", "kernels/webgpu/build.ts", "--check"],
];
for (const check of checks) {
  const { code, stdout, stderr } = await deno(check);
  console.log(`${code === 0 ? "ok    " : "FAILED"} deno ${check.join(" ")}`);
  if (code !== 0) {
    console.log(stdout + stderr);
    process.exitCode = 1;
  }
}
