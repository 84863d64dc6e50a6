import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { assertSource, type ChildResult, deno, root } from "../../child.ts";
import type { Validation } from "./dawn/validate_child.ts";

const folder = "tests/kernels/webgpu/dawn/", kernels = join(root, "kernels/webgpu");

/** Where packages of Chromium and Chrome have SwiftShader, a Vulkan driver that Dawn takes though others be too old. */
const swiftShader = [
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
].find(existsSync);

function child(args: readonly string[], icd?: string): Promise<ChildResult> {
  const env = icd ? { VK_ICD_FILENAMES: icd } : undefined;
  return deno(args, { env, limit: 600_000 });
}

/** The adapter that Dawn finds; empty if there is none, undefined if Dawn itself cannot be had. */
async function adapterOf(icd?: string): Promise<string | undefined> {
  const { code, stdout } = await child(
    ["run", "-A", "--no-lock", "--no-check", `${folder}probe_child.ts`],
    icd,
  );
  return code === 0 ? stdout.trim() : undefined;
}

const own = await adapterOf(), loaded = own !== undefined;
/** Set on machines that must not pass without Dawn: to `adapter` where its numbers are wanted, to anything else where not. */
const required = process.env.KDEFORMER_REQUIRE_DAWN, adapterRequired = required === "adapter";
// A driver of this machine is taken before the one beside the browser, on which compiling takes minutes.
const icd = !own && adapterRequired ? swiftShader : undefined;
const found = own || (icd && loaded ? await adapterOf(icd) : "");
if (!loaded && !required) {
  console.warn("SKIPPING every Dawn test: the npm package webgpu cannot be loaded (no network, or platform)");
} else if (!found && !adapterRequired) {
  console.warn(
    "NOT TESTED: numbers under Dawn, which finds no adapter by itself; KDEFORMER_REQUIRE_DAWN=adapter has it take " +
      "SwiftShader (on Debian: apt-get install chromium), for some minutes",
  );
}

function dawnTest(name: string, ready: boolean, body: () => Promise<void>): void {
  Deno.test({ name: `${name} [dawn]`, ignore: !ready, fn: body });
}

/** File and name of every entry point of the kernels. */
function entryPoints(): string[] {
  const files = readdirSync(kernels, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".wgsl")).flatMap((file) => {
    const entries = readFileSync(join(kernels, file), "utf8").matchAll(/@compute[^{;]*?\bfn (\w+)/g);
    return [...entries].map(([, name]) => `${basename(file)} ${name}`);
  });
}

dawnTest("Dawn makes every pipeline, and refuses what it must", loaded || Boolean(required), async () => {
  const { code, stdout, stderr } = await child([
    "run",
    "-A",
    "--no-lock",
    "--no-check",
    `${folder}validate_child.ts`,
  ]);
  assertEquals(code, 0, stderr);
  const { pipelines, enabled, failures, refusals }: Validation = JSON.parse(stdout);
  assertEquals(failures, [], failures.join("\n"));
  const made = new Set(pipelines.map((label) => label.split(" ").slice(0, 2).join(" ")));
  const entries = entryPoints();
  assert(entries.length > 0);
  assertEquals(entries.filter((entry) => !made.has(entry)), []);
  for (const name of ["attend_registers", "attend_tiles", "attend_subgroups"]) {
    assert(pipelines.some((label) => label.startsWith(`${name}.wgsl, halves`)), name);
  }
  for (const lanes of [64, 256]) assert(pipelines.some((label) => label.includes(`"LANES":${lanes}`)));
  const reducing =
    "attend_subgroups bisect_rows cut_nodes key_importance key_scatters list_entries open_lists pair_buckets sample_keys softmax_rows " +
    "solve_held_ridge solve_ridge sort_by_bucket sum_lists tilt_keys";
  for (const name of `${reducing} subgroups`.split(" ")) {
    assert(enabled.includes(`subgroups ${name}.wgsl`), name);
  }
  assertEquals(refusals.length, 2);
  assertMatch(refusals[0], /non_uniform\.wgsl:6:\d+: 'workgroupBarrier' must only be called from uniform/);
  assertMatch(refusals[1], /too_large\.wgsl main.*exceeds the maximum/s);
});

// Where there is no adapter to run on there is nothing to test; elsewhere it must be there.
if (found || adapterRequired) {
  dawnTest(
    `every primitive agrees with the reference on ${found || "an adapter"}`,
    true,
    async () => {
      const files = ["angular_hash", "distances", "merge_attention", "rows", "sample_keys"];
      const { args } = await assertSource();
      const { code, stdout, stderr } = await child([
        ...["test", "-A", "--no-check", ...args, `--preload=${folder}preload.ts`, "--filter=[webgpu]"],
        ...[`${folder}numbers.ts`, ...files.map((name) => `tests/kernels/${name}_test.ts`)],
      ], icd);
      assertEquals(code, 0, stdout + stderr);
      assertMatch(stdout, /ok \| [1-9]\d* passed/);
    },
  );
}
