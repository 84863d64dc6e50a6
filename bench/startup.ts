/** How long a program waits for the module: import, device, first call. */
import { markdownTable, millisecondsOf } from "./markdown.ts";
import type { StartupTimes } from "./startup_child.ts";
import { tell } from "./timing.ts";

const child = new URL("startup_child.ts", import.meta.url);

/** One fresh process; null where it has no such device. */
async function start(kind: "wasm" | "webgpu"): Promise<StartupTimes & { readonly process: number } | null> {
  const begin = performance.now();
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", child.href, kind],
    stdin: "null",
    stderr: "null",
  }).output();
  const process = (performance.now() - begin) / 1e3;
  return code === 0 ? { ...JSON.parse(new TextDecoder().decode(stdout)), process } : null;
}

/** The section. */
export async function startup([runs = 9]: readonly number[]): Promise<string> {
  const rows: string[][] = [];
  for (const kind of ["wasm", "webgpu"] as const) {
    // The first fills the cache of compiled sources.
    if (!await start(kind)) {
      rows.push([kind, ...Array(5).fill("–")]);
      continue;
    }
    const times: StartupTimes[] = [];
    for (let run = 0; run < runs; run++) times.push((await start(kind))!);
    tell(`${kind}: ${millisecondsOf(times.map(({ load, open, first }) => load + open + first))} ms`);
    rows.push([
      kind,
      millisecondsOf(times.map(({ load }) => load)),
      millisecondsOf(times.map(({ open }) => open)),
      millisecondsOf(times.map(({ first }) => first)),
      millisecondsOf(times.map(({ warm }) => warm)),
      millisecondsOf(times.map(({ open, first, warm }) => open + first - warm)),
    ]);
  }
  const head = ["device", "import mod.ts", "open, self test included", "first call", "warm call"];
  return [
    `Milliseconds in ${runs} fresh processes each, after one that fills Deno's cache of compiled sources: exact ` +
    "attention of one head, n = 512, d = 64. The last column is what the first call of `attention` takes beyond a " +
    "warm one where it has to open the device itself.",
    markdownTable([...head, "opening and first call, beyond a warm one"], rows),
  ].join("\n\n");
}
