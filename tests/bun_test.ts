import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import process from "node:process";
import { deno, root, runChild } from "./child.ts";

const available = await runChild("bun", ["--version"]).then(({ code }) => code === 0, () => false);
const required = process.env.KDEFORMER_REQUIRE_BUN === "1";
if (!available && !required) {
  console.warn("SKIPPING every Bun test: bun is not on the path (npm install -g bun)");
}

function bunTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name: `${name} [bun]`, ignore: !available && !required, fn: body });
}

bunTest("cli attend runs KDEformer on wasm as it does in Deno", async () => {
  const command = [
    ...["cli.ts", "attend", "--workload", "gaussian", "--n", "800", "--method", "kdeformer-practical"],
    ...["--device", "wasm", "--compare-exact", "--json"],
  ];
  const { code, stdout, stderr } = await runChild("bun", command);
  assertEquals([code, stderr], [0, ""]);
  const report = JSON.parse(stdout);
  assertEquals([report.device, report.n_q], ["wasm", 800]);
  const other = JSON.parse((await deno(["run", "-A", "--no-lock", ...command])).stdout);
  assertEquals(report.key_evaluations, other.key_evaluations);
  assertAlmostEquals(report.relative_error_output, other.relative_error_output, 1e-4);
});

bunTest("cli attend reads the heads of the OCR model", async () => {
  const { code, stdout } = await runChild("bun", [
    ...[
      "cli.ts",
      "attend",
      "--workload",
      "ocr",
      "--n",
      "96",
      "--head",
      "2.all",
      "--device",
      "wasm",
      "--json",
    ],
  ]);
  assertEquals(code, 0);
  const { n_q: n, d, heads } = JSON.parse(stdout);
  assertEquals([n, d, heads], [96, 15, 8]);
});

bunTest("cli doctor finds wasm the best device", async () => {
  const { code, stdout } = await runChild("bun", ["cli.ts", "doctor", "--json"]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(stdout).best, "wasm");
});

bunTest("the module computes the same as in Deno", async () => {
  const script = `
    const { attention, tensor } = await import("${root}mod.ts");
    const q = tensor(Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)), [10, 4]);
    const { output, stats } = await attention(q, q, q, { method: "exact" });
    console.log(JSON.stringify([stats.device, [...output.data]]));`;
  const [bun, deno] = await Promise.all([
    runChild("bun", ["-e", script]),
    runChild(process.execPath, ["eval", script]),
  ]);
  assertEquals([bun.code, deno.code], [0, 0]);
  const [, inBun] = JSON.parse(bun.stdout), [, inDeno] = JSON.parse(deno.stdout);
  inBun.forEach((x: number, at: number) => assert(Math.abs(x - inDeno[at]) < 1e-6));
});
