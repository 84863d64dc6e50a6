import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonLine, shownMessage } from "../../commands/printable.ts";
import { printable } from "../../kernels/printable.ts";
import { cli } from "../child.ts";
import { inFolder, writeArrays } from "./array_files.ts";

// deno-lint-ignore no-control-regex
const COMMANDS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/;

Deno.test("printable() writes control characters out and leaves text alone", () => {
  assertEquals(printable("a\x1b[31m\x07\x9b2J\r\u202eb"), "a\\x1b[31m\\x07\\x9b2J\\x0d\\u202eb");
  const text = "‖P‖ · n² → 3 %\n\tcafé 語";
  assertEquals(printable(text), text);
});

Deno.test("jsonLine() gives JSON of the same value without control characters", () => {
  const value = { name: "a\x1b\x7f\x9b\u202e\nb", list: [1.5, null] }, line = jsonLine(value);
  assert(!COMMANDS.test(line.trimEnd()), line);
  assertEquals(JSON.parse(line), value);
});

Deno.test("shownMessage() leaves out the middle of a very long message", () => {
  const shown = shownMessage(`Cannot read ${"x".repeat(50_000)}: no such file`);
  assert(shown.length < 2100);
  assert(shown.startsWith("Cannot read xxx") && shown.endsWith("x: no such file"), shown);
});

Deno.test("cli prints no control character of a file, a name or an option", async () => {
  await inFolder(async (folder) => {
    const files = await writeArrays(folder), escapes = "\x1b]0;title\x07\x1b[2J";
    const header = `{'descr': '${escapes}', 'fortran_order': False, 'shape': (2, 2), }\n`;
    const npy = new Uint8Array(10 + header.length + 16);
    npy.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length]);
    npy.set(new TextEncoder().encode(header), 10);
    await writeFile(join(folder, "dtype.npy"), npy);
    const named = join(folder, `q${escapes}.npy`);
    const uses = [
      ["attend", "--q", join(folder, "dtype.npy"), ...files.slice(2)],
      ["attend", "--q", named, ...files.slice(2)],
      ["attend", `--${escapes}`],
      [`${escapes}`],
      ["attend", ...files, "--method", escapes],
      ["attend", ...files, "--out", `${folder}/${escapes}/o.npy`],
      ["attend", "--workload", escapes],
      ["attend", "--workload", "x".repeat(100_000)],
      ["verify", "--claim", escapes],
      ["verify", "--shard", escapes],
    ];
    for (const args of uses) {
      const { code, stdout, stderr } = await cli(...args);
      assert(code === 1 || code === 2, args.join(" "));
      assert(stderr.length > 0 && stderr.length < 4000);
      assert(!COMMANDS.test(stdout + stderr), stderr);
    }
    assertStringIncludes((await cli(...uses[0])).stderr, "current value is '\\x1b]0;title\\x07\\x1b[2J'");
  });
});

Deno.test("cli report prints no control character of the reports that it joins", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a.json"), escapes = "\x1b[2J\x9b1m\u202e";
    const { stdout: text } = await cli("verify", "--claim", "gray-order", "--runs", "2", "--json");
    const whole = JSON.parse(text), [result] = whole.results;
    // Refuted against expectation, so that its command is printed; and a case is missing.
    const refuted = Object.assign(result, { replay: `verify ${escapes}`, note: escapes });
    result["log_p"] = { holds: 0, refuted: -1000 };
    await writeFile(path, JSON.stringify({ ...whole, adapter: escapes, cases: 2, results: [refuted] }));
    for (
      const output of [["--json"], ["--json", join(folder, "b.json")], ["--out", join(folder, "b.html")]]
    ) {
      const { code, stdout, stderr } = await cli("report", "--merge", path, ...output);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "PROBLEM: ");
      assert(!COMMANDS.test(stdout.replaceAll("\n", "") + stderr.replaceAll("\n", "")), stdout + stderr);
      if (output.length > 1) assertStringIncludes(stdout, "verify \\x1b[2J\\x9b1m\\u202e");
    }
  });
});

Deno.test("cli report looks at its outputs before it reads what it joins", async () => {
  await inFolder(async (folder) => {
    for (const output of ["--json", "--out"]) {
      const { code, stdout, stderr } = await cli("report", "--merge", "none.json", output, folder);
      assertEquals([code, stdout, stderr], [1, "", `Cannot write ${folder}: it is a folder\n`]);
    }
    const both = await cli("report", "--merge", "none.json", "--json", "--out", "-");
    assertEquals(both.code, 2);
    assertStringIncludes(both.stderr, "--out and --json must go to different places: both are -");
  });
});
