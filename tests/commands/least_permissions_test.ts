import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { codeHere } from "../../commands/code_here.ts";
import { permissionRows } from "../../commands/least_permissions.ts";
import { machineHere } from "../../commands/machine_here.ts";
import { VERSION } from "../../commands/version.ts";
import { readArray } from "../../files/arrays/read.ts";
import { writeNpy } from "../files/npy/write_npy.ts";
import { tensor } from "../../kernels/tensor.ts";
import { type ChildResult, cli, root } from "../child.ts";
import { webgpuTest } from "../backends.ts";
import { floatBytes, formatSafetensors } from "../files/safetensors/format_safetensors.ts";
import { arrays, inFolder, writeArrays } from "./array_files.ts";

const FLAGS = ["run", "--no-prompt", "--quiet", "--no-lock"];

/** Runs Deno with flags of its own: node:child_process would give it those of the process that runs the tests. */
async function deno(args: readonly string[], env: Record<string, string> = {}): Promise<ChildResult> {
  const options = { args: [...args], cwd: root, env: { NO_COLOR: "1", ...env }, stdin: "null" as const };
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A use of a command in words of the table, and the arguments that make it. */
interface Use {
  readonly command: string;
  /** The rows of the table that are joined. */
  readonly rows: readonly string[];
  readonly args: readonly string[];
  /** What the names in the table stand for. */
  readonly names?: Readonly<Record<string, string>>;
}

const quick: Readonly<Record<string, readonly string[]>> = {
  attend: ["--workload", "gaussian", "--n", "60", "--device", "wasm"],
  compare: ["--workload", "gaussian", "--n", "60", "--methods", "exact", "--repeat", "1", "--device", "wasm"],
  verify: ["--claim", "gray-order", "--runs", "2"],
  scaling: ["--min", "64", "--max", "64", "--workload", "gaussian"],
  spectrum: ["--workload", "gaussian", "--n", "60", "--device", "wasm"],
};

const GENERATED = "generated inputs", JSON_FILE = "--json FILE", PAGE = "--report FILE.html";
const FETCHED = "sentence-encoder, ocr, ocr-heads, glove, glove-shared",
  TUNE = "KDEFORMER_TUNING=T.json, --tune DxDV";

/** The flags of a row of the table. */
function flagsOf(command: string, use: string): string[] {
  const row = permissionRows.find((row) => row.use === use && row.commands.includes(command));
  assert(row, `${command} has no row "${use}"`);
  return row.flags.split(" ").filter((flag) => flag !== "");
}

/** Runs a use with the flags that the table gives its rows, and no others. */
async function run({ command, rows, args, names = {} }: Use): Promise<ChildResult> {
  const flags = rows.flatMap((use) => flagsOf(command, use));
  const filled = flags.map((flag) =>
    flag.replace(
      /=(.*)/,
      (_, list: string) => `=${list.split(",").map((name) => names[name] ?? name).join(",")}`,
    )
  );
  // Deno takes one flag of a kind.
  const joined = new Map<string, string[]>();
  for (const flag of filled) {
    const [name, value] = flag.split("=");
    joined.set(name, [...joined.get(name) ?? [], ...(value === undefined ? [] : [value])]);
  }
  const last = [...joined].map(([name, values]) =>
    values.length === 0 ? name : `${name}=${values.join(",")}`
  );
  return await deno([...FLAGS, ...last, "cli.ts", command, ...args]);
}

async function denoFolder(): Promise<string> {
  return JSON.parse((await deno(["info", "--json"])).stdout).denoDir;
}

const tested = new Set<string>();
function useTest(
  uses: readonly (readonly [command: string, row: string])[],
  body: () => Promise<void>,
): void {
  for (const [command, row] of uses) tested.add(`${command}: ${row}`);
  Deno.test(`least permissions of ${uses.map((use) => use.join(" ")).join(", ")}`, body);
}

useTest([["attend", "--q Q.npy --k K.npy --v V.npy"], ["attend", "--key-mask M.npy"], [
  "attend",
  "--out O.npy",
]], () =>
  inFolder(async (folder) => {
    const files = await writeArrays(folder), mask = join(folder, "mask.npy"), out = join(folder, "out.npy");
    await writeNpy(mask, tensor(Array.from({ length: 40 }, (_, at) => at % 3 === 0 ? 1 : 0), [2, 20]));
    const names = { "Q.npy": files[1], "K.npy": files[3], "V.npy": files[5], "M.npy": mask, "O.npy": out };
    const plain = { command: "attend", names, rows: ["--q Q.npy --k K.npy --v V.npy"], args: files };
    for (const device of ["wasm", "reference"]) {
      const { code, stderr } = await run({ ...plain, args: [...files, "--device", device, "--json"] });
      assertEquals([code, stderr], [0, ""]);
    }
    const rows = [...plain.rows, "--key-mask M.npy", "--out O.npy"];
    const whole = { ...plain, rows, args: [...files, "--key-mask", mask, "--out", out] };
    // The second time the file is there, and is replaced.
    for (let round = 0; round < 2; round++) {
      const { code, stderr } = await run(whole);
      assertEquals([code, stderr], [0, ""]);
      assertEquals((await readArray(out)).shape, [2, 12, 3]);
    }
    const refused = await run({ ...whole, rows: plain.rows });
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertStringIncludes(refused.stderr, "out.npy: permission denied by Deno: run again with --allow-write");
    const unread = await run({ ...whole, rows: [...plain.rows, "--out O.npy"] });
    assertEquals([unread.code, unread.stdout], [1, ""]);
    assertStringIncludes(unread.stderr, "mask.npy: permission denied by Deno: run again with --allow-read");
  }));

for (const command of ["attend", "compare", "spectrum", "verify", "scaling"]) {
  const hasPage = command !== "attend" && command !== "spectrum",
    outputs = [JSON_FILE, ...(hasPage ? [PAGE] : [])];
  useTest([GENERATED, ...outputs].map((row) => [command, row] as const), () =>
    inFolder(async (folder) => {
      const json = join(folder, "a.json"), page = join(folder, "a.html");
      const nothing = await run({ command, rows: [GENERATED], args: quick[command] });
      assertEquals([nothing.code, nothing.stderr], [0, ""]);
      const args = [...quick[command], "--json", json, ...(hasPage ? ["--report", page] : [])];
      for (const row of outputs) {
        const name: Record<string, string> = row === PAGE ? { "FILE.html": page } : { "FILE": json };
        const alone = row === PAGE ? ["--report", page] : ["--json", json];
        const { code, stderr } = await run({
          command,
          rows: [GENERATED, row],
          args: [...quick[command], ...alone],
          names: name,
        });
        assertEquals([code, stderr], [0, ""], row);
      }
      assert(JSON.parse(await readFile(json, "utf8")));
      const denied = await run({ command, rows: [GENERATED], args });
      assertEquals([denied.code, denied.stdout], [1, ""]);
      assertStringIncludes(denied.stderr, "permission denied by Deno: run again with --allow-write");
    }));
}

useTest([["compare", "--q Q.npy --k K.npy --v V.npy"]], () =>
  inFolder(async (folder) => {
    const files = await writeArrays(folder);
    const { code, stderr } = await run({
      command: "compare",
      rows: ["--q Q.npy --k K.npy --v V.npy"],
      args: [...files, ...quick.compare.slice(4)],
      names: { "Q.npy": files[1], "K.npy": files[3], "V.npy": files[5] },
    });
    assertEquals([code, stderr], [0, ""]);
  }));

useTest(
  [["spectrum", "--q Q.npy --k K.npy"], ["kernel-sum", "FILE.npy"], ["kernel-sum", JSON_FILE]],
  () =>
    inFolder(async (folder) => {
      const files = await writeArrays(folder),
        points = join(folder, "points.npy"),
        json = join(folder, "a.json");
      await writeNpy(points, tensor([0, 1, 2, 3, 4, 5], [3, 2]));
      const spectrum = await run({
        command: "spectrum",
        rows: ["--q Q.npy --k K.npy"],
        args: [...files.slice(0, 4), "--device", "wasm"],
        names: { "Q.npy": files[1], "K.npy": files[3] },
      });
      assertEquals([spectrum.code, spectrum.stderr], [0, ""]);
      const names = { "FILE.npy": points, FILE: json }, args = [points, "--device", "wasm"];
      const sum = await run({ command: "kernel-sum", rows: ["FILE.npy"], args, names });
      assertEquals([sum.code, sum.stderr], [0, ""]);
      const rows = ["FILE.npy", JSON_FILE];
      const written = await run({ command: "kernel-sum", rows, args: [...args, "--json", json], names });
      assertEquals([written.code, written.stderr], [0, ""]);
      assertEquals(JSON.parse(await readFile(json, "utf8")).command, "kernel-sum");
    }),
);

useTest([["attend", "--qkv QKV.npz"], ["compare", "--qkv QKV.npz"]], () =>
  inFolder(async (folder) => {
    const raw = Object.entries(arrays).map(([name, { data, shape }]) => [
      name,
      { dtype: "F32", shape, bytes: floatBytes(data) },
    ]);
    const path = join(folder, "qkv.safetensors");
    await writeFile(path, formatSafetensors(Object.fromEntries(raw)));
    for (const command of ["attend", "compare"]) {
      const args = ["--qkv", path, ...quick[command].slice(4)];
      const { code, stderr } = await run({
        command,
        rows: ["--qkv QKV.npz"],
        args,
        names: { "QKV.npz": path },
      });
      assertEquals([code, stderr], [0, ""]);
      const denied = await run({ command, rows: [GENERATED], args });
      assertEquals([denied.code, denied.stdout], [1, ""]);
      assertStringIncludes(denied.stderr, "permission denied by Deno: run again with --allow-read");
    }
  }));

useTest([["attend", FETCHED], ["compare", FETCHED], ["verify", FETCHED], ["scaling", FETCHED], [
  "demo",
  FETCHED,
], ["spectrum", FETCHED]], async () => {
  const names = { DIR: await denoFolder() };
  const uses: readonly [string, string, readonly string[]][] = [
    ["attend", FETCHED, ["--workload", "ocr", "--n", "32", "--device", "wasm"]],
    ["attend", FETCHED, ["--workload", "glove", "--n", "32", "--device", "wasm"]],
    ["compare", FETCHED, ["--workload", "sentence-encoder", "--n", "32", ...quick.compare.slice(4)]],
    ["spectrum", FETCHED, ["--workload", "glove", "--n", "32", "--device", "wasm"]],
    ["verify", FETCHED, ["--family", "glove", "--claim", "merge-identity", "--runs", "1"]],
    ["scaling", FETCHED, ["--workload", "sentence-encoder", "--min", "64", "--max", "64"]],
    ["demo", FETCHED, ["--n", "64", "--device", "wasm"]],
  ];
  for (const [command, row, args] of uses) {
    const { code, stderr } = await run({ command, rows: [row], args, names });
    assertEquals([code, stderr], [0, ""], args.join(" "));
  }
});

useTest([["scaling", "memory measured too"]], async () => {
  const args = [...quick.scaling, "--json"], rows = [GENERATED, "memory measured too"];
  // The table's name is that of the program on the path; the one that runs this test may be another.
  const { code, stdout } = await run({ command: "scaling", rows, args, names: { deno: process.execPath } });
  assertEquals(code, 0);
  const { series } = JSON.parse(stdout);
  const peaks = series.flatMap(({ points }: { points: { peak_bytes: number | null }[] }) =>
    points.map(({ peak_bytes }) => peak_bytes)
  );
  assertEquals(peaks.some((bytes: number | null) => bytes !== null), process.platform === "linux");
});

useTest([["compare", "--memory"]], async () => {
  const args = [...quick.compare, "--memory", "--json"], rows = [GENERATED, "--memory"];
  const { code, stdout } = await run({ command: "compare", rows, args, names: { deno: process.execPath } });
  assertEquals(code, 0);
  const [{ peak_bytes: bytes }] = JSON.parse(stdout).points;
  assertEquals(bytes > 0, process.platform === "linux");
});

useTest([["compare", "--csv FILE.csv"]], () =>
  inFolder(async (folder) => {
    const csv = join(folder, "a.csv"), rows = [GENERATED, "--csv FILE.csv"];
    const args = [...quick.compare, "--csv", csv];
    const { code, stderr } = await run({ command: "compare", rows, args, names: { "FILE.csv": csv } });
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(await readFile(csv, "utf8"), "gaussian,60,60,");
  }));

useTest([["doctor", "without --tune"], ["doctor", JSON_FILE]], () =>
  inFolder(async (folder) => {
    assertEquals((await run({ command: "doctor", rows: ["without --tune"], args: [] })).code, 0);
    const json = join(folder, "a.json");
    const { code } = await run({
      command: "doctor",
      rows: ["without --tune", JSON_FILE],
      args: ["--json", json],
      names: { FILE: json },
    });
    assertEquals(code, 0);
    assertEquals(JSON.parse(await readFile(json, "utf8")).command, "doctor");
  }));

useTest(
  [["report", "--merge A.json B.json"], ["report", "--out FILE.html"], ["report", JSON_FILE]],
  () =>
    inFolder(async (folder) => {
      const parts = [1, 2].map((shard) => join(folder, `${shard}.json`)), page = join(folder, "a.html");
      for (const [at, part] of parts.entries()) {
        const claims = ["--claim", "residual-mass", "--runs", "2", "--shard", `${at + 1}/2`, "--json", part];
        await cli("verify", ...claims);
      }
      const json = join(folder, "all.json");
      const { code, stderr } = await run({
        command: "report",
        rows: ["--merge A.json B.json", "--out FILE.html", JSON_FILE],
        args: ["--merge", ...parts, "--out", page, "--json", json],
        names: { "A.json": parts[0], "B.json": parts[1], "FILE.html": page, FILE: json },
      });
      assertEquals([code, stderr], [0, ""]);
    }),
);

useTest([["verify", "--continue L.json"]], () =>
  inFolder(async (folder) => {
    const file = join(folder, "ledger.json");
    for (const seeds of [undefined, [1, 2]]) {
      const { code, stderr } = await run({
        command: "verify",
        rows: ["--continue L.json"],
        args: [...quick.verify, "--continue", file],
        names: { "L.json": file },
      });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(JSON.parse(await readFile(file, "utf8")).seeds, seeds);
    }
  }));

const COMMIT = "commit and processor in the report";
useTest([["verify", COMMIT]], async () => {
  const report = async (rows: readonly string[]) => {
    const { code, stdout, stderr } = await run({
      command: "verify",
      rows,
      args: [...quick.verify, "--json"],
    });
    assertEquals([code, stderr], [0, ""]);
    return JSON.parse(stdout);
  };
  const { code, machine } = await report([COMMIT]), bare = await report([GENERATED]);
  assertEquals([code, machine], [await codeHere(), machineHere()]);
  assertEquals([bare.code, bare.machine.processor], [
    { version: VERSION, commit: null, changes: null },
    null,
  ]);
});

Deno.test("a ledger that may not be read is refused, not begun again", () =>
  inFolder(async (folder) => {
    const file = join(folder, "ledger.json");
    await writeFile(file, "evidence");
    const args = ["verify", ...quick.verify, "--continue", file];
    const { code, stderr } = await deno([...FLAGS, `--allow-write=${file}`, "cli.ts", ...args]);
    assertEquals([code !== 0, await readFile(file, "utf8")], [true, "evidence"]);
    assertStringIncludes(stderr, `Cannot read ${file}`);
  }));

tested.add(`doctor: ${TUNE}`);
webgpuTest(`least permissions of doctor ${TUNE}`, () =>
  inFolder(async (folder) => {
    const file = join(folder, "tuning.json");
    await writeFile(file, "{}");
    const flags = flagsOf("doctor", TUNE).map((flag) => flag.replace("T.json", file));
    const { code, stderr } = await deno([...FLAGS, ...flags, "cli.ts", "doctor", "--tune", "4x4"], {
      KDEFORMER_TUNING: file,
    });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(Object.keys(JSON.parse(await readFile(file, "utf8")).tiles), ["4 x 4"]);
  }));

Deno.test("Every row of the table of permissions has a test above, for each command", () => {
  const rows = permissionRows.flatMap(({ use, commands }) => commands.map((command) => `${command}: ${use}`));
  assertEquals([...tested].sort(), rows.sort());
});

Deno.test("The help text of each command gives its rows of the table, and no others", async () => {
  for (const command of new Set(permissionRows.flatMap(({ commands }) => commands))) {
    const { stdout } = await cli("help", command);
    for (const { use, flags, commands } of permissionRows) {
      const line = new RegExp(`^ {2}${RegExp.escape(use)} +${RegExp.escape(flags || "none")}`, "m");
      assertEquals(line.test(stdout), commands.includes(command), `${command}: ${use}`);
    }
  }
});
