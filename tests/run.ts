/** Runs the whole test suite: `deno task test [arguments of deno test]`. Ends with `N passed, N failed`. */
import process from "node:process";
import { assertSource, deno } from "./child.ts";

const { args, words } = await assertSource();
console.log(words);
const { code, stdout } = await deno(
  ["test", "-A", "--doc", "--parallel", ...args, ...process.argv.slice(2)],
  {
    show: true,
  },
);

const counts = stdout.match(
  /(\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?:.*?(\d+) ignored)?/,
);
const passed = Number(counts?.[1] ?? 0), failed = Number(counts?.[2] ?? 0);
if (counts?.[3]) console.log(`${counts[3]} tests were SKIPPED: see the warnings above`);
// A run that broke down without a failed test has failed all the same.
console.log(`\n${passed} passed, ${code === 0 ? failed : Math.max(failed, 1)} failed`);
process.exitCode = code;
