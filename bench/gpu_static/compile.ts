import { fileURLToPath } from "node:url";
import { tell } from "../timing.ts";
import { readCompiled } from "./machine_code.ts";
import type { CompiledKernel } from "./machine_code.ts";
import type { Machine } from "./machines.ts";
import { denoFolder, type Mesa, run, shimOf, withMesa } from "./mesa.ts";
import type { Run } from "./runs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const HERE = `${ROOT}/bench/gpu_static`;
/** How Vulkan's loader finds the layer. */
const LAYER = `{"file_format_version": "1.1.2", "layer": {"name": "VK_LAYER_GPU_STATIC", "type": "GLOBAL",
  "library_path": "./layer.so", "api_version": "1.3.0", "implementation_version": "1",
  "description": "what drivers tell of pipelines"}}`;

/** What a GPU's compiler made of the kernels, by label, and what was dispatched. */
export interface Compiled {
  readonly runs: readonly Run[];
  readonly kernels: ReadonlyMap<string, CompiledKernel>;
}

/** Has every pipeline compiled for a GPU that need not be there: what Deno's WebGPU makes of it, or the one whose module is given. */
export async function compileFor(
  machine: Machine,
  mesa: Mesa,
  folder: string,
  dawn?: string,
): Promise<Compiled> {
  tell(`Compiling for ${machine.name}${dawn ? " with Dawn" : ""}`);
  const out = `${folder}/${machine.chip}${dawn ? "-dawn" : ""}`;
  await Deno.remove(out, { recursive: true }).catch(() => {});
  await Deno.mkdir(out, { recursive: true });
  await run([
    "gcc",
    "-O1",
    "-shared",
    "-fPIC",
    `-I${mesa.headers}`,
    `${HERE}/layer.c`,
    "-o",
    `${folder}/layer.so`,
  ], {});
  await Deno.writeTextFile(`${folder}/layer.json`, LAYER);
  const { stderr } = await withMesa(
    mesa,
    [
      Deno.realPathSync(Deno.execPath()),
      ...["run", "-A", "--no-lock", "--no-check", `${HERE}/collect.ts`, out, ...dawn ? [dawn] : []],
    ],
    { ...environmentOf(machine, folder), GPU_STATIC_OUT: out },
    [ROOT, folder, denoFolder()],
  ).output();
  const text = await Deno.readTextFile(`${out}/runs.json`).catch(() => null);
  if (text === null) {
    throw new Error(`The compiler of ${machine.name} failed: ${new TextDecoder().decode(stderr).trim()}`);
  }
  const kernels = new Map<string, CompiledKernel>();
  for await (const { name } of Deno.readDir(out)) {
    if (!name.endsWith(".txt")) continue;
    const { label, ...kernel } = readCompiled(await Deno.readTextFile(`${out}/${name}`));
    kernels.set(label, kernel);
  }
  return { runs: JSON.parse(text), kernels };
}

function environmentOf({ driver, chip }: Machine, folder: string): Record<string, string> {
  const common = {
    PATH: "/usr/bin:/bin",
    HOME: folder,
    DENO_DIR: `${folder}/deno`,
    XDG_RUNTIME_DIR: "/tmp",
    LD_PRELOAD: shimOf(driver),
    VK_LAYER_PATH: folder,
    VK_INSTANCE_LAYERS: "VK_LAYER_GPU_STATIC",
  };
  const drivers = "/usr/share/vulkan/icd.d";
  if (driver === "amdgpu") {
    return { ...common, AMDGPU_GPU_ID: chip, VK_ICD_FILENAMES: `${drivers}/radeon_icd.json` };
  }
  return {
    ...common,
    NOUVEAU_CHIPSET: chip,
    // Mesa looks over bounds of storage buffers float by float there, as the vendor's driver need not.
    GPU_STATIC_UNCHECKED: "1",
    NVK_I_WANT_A_BROKEN_VULKAN_DRIVER: "1",
    VK_ICD_FILENAMES: `${drivers}/nouveau_icd.json`,
  };
}
