/** WebGPU kernels on GPUs: measured where there is one, else modelled from what real drivers' compilers make of them. */
import { openWebGpu } from "../kernels/webgpu/backend.ts";
import { type Call, calls, runCall } from "./gpu_static/calls.ts";
import { timeRun } from "./gpu_static/call_times.ts";
import { type Compiled, compileFor } from "./gpu_static/compile.ts";
import { type KernelCycles, kernelCycles } from "./gpu_static/kernel_cycles.ts";
import { type Machine, machines } from "./gpu_static/machines.ts";
import { findDawn } from "./gpu_static/dawn.ts";
import { findMesa, MesaMissing } from "./gpu_static/mesa.ts";
import { tileKeys, tileRows } from "./gpu_static/tile_share.ts";
import { digits, markdownTable, median, medianAndRange } from "./markdown.ts";
import { tell } from "./timing.ts";

const CALL = ["call", "method"], NAME = "kdeformer/gpu_static";
/** Longest dispatches of a call that are named. */
const NAMED = 3;

/** Milliseconds of every call on this machine's GPU, by the device's own clock where it has one. */
async function measured(rounds: number): Promise<string | undefined> {
  const backend = await openWebGpu({ timed: true }).catch(() => undefined);
  if (!backend) return undefined;
  try {
    if (backend.software) return undefined;
    const rows: string[][] = [];
    let exact: readonly number[] = [];
    for (const call of calls) {
      tell(`${call.group}, ${call.name}`);
      const times: number[] = [];
      // The first round compiles.
      for (let round = 0; round <= rounds; round++) {
        const before = backend.busySeconds, start = performance.now();
        await runCall(backend, call);
        const host = (performance.now() - start) / 1e3, own = backend.busySeconds;
        backend.reset();
        if (round > 0) times.push(own === undefined ? host : own - before!);
      }
      if (call.method === "exact") exact = times;
      const ratio = call.method === "exact" ? "" : digits(median(exact) / median(times), 3);
      rows.push([call.group, call.name, medianAndRange(times.map((time) => 1e3 * time)), ratio]);
    }
    const clock = backend.busySeconds === undefined ? "of whole calls" : "by the device's own clock";
    return `Measured on ${backend.adapter}, ${clock}, ${rounds} runs after a first one. Inputs are normal ` +
      `values.\n\n${markdownTable([...CALL, "ms", "exact : this"], rows)}`;
  } finally {
    backend.destroy();
  }
}

/** What the model says of a GPU. */
interface Model {
  readonly machine: Machine;
  readonly compiled: Compiled;
  readonly kernels: ReadonlyMap<string, KernelCycles>;
}

function modelOf(machine: Machine, compiled: Compiled): Model {
  const kernels = new Map([...compiled.kernels].map(([label, kernel]) => {
    const values = JSON.parse(label.slice(label.indexOf("{")) || "{}"), keys = tileKeys(values);
    return [label, kernelCycles(kernel, machine, keys ? values.STRETCH / keys : 1)];
  }));
  return { machine, compiled, kernels };
}

/** The modelled time of each call, and its longest dispatches on the first of the GPUs. */
function callRows(models: readonly Model[]): string[][] {
  const exact: number[] = [];
  return calls.map((call: Call): string[] => {
    const title = `${call.group}, ${call.name}`;
    const timed = models.map(({ machine, compiled, kernels }) => {
      const run = compiled.runs.find((one) => one.title === title);
      return run && timeRun(run, kernels, machine);
    });
    const cells = timed.flatMap((run, at) => {
      if (!run) return ["–", ""];
      const least = run.unknown.length > 0;
      if (call.method === "exact") exact[at] = run.seconds;
      const ratio = call.method === "exact" || least ? "" : digits(exact[at] / run.seconds, 3);
      return [`${least ? "over " : ""}${digits(1e3 * run.seconds, 3)}`, ratio];
    });
    return [call.group, call.name, ...cells, longest(timed[0]?.dispatches ?? [])];
  });
}

function longest(dispatches: readonly { readonly name: string; readonly seconds: number }[]): string {
  const sums = new Map<string, number>();
  for (const { name, seconds } of dispatches) sums.set(name, (sums.get(name) ?? 0) + seconds);
  return [`${dispatches.length} dispatches`].concat(
    [...sums].sort(([, a], [, b]) => b - a).slice(0, NAMED)
      .map(([name, seconds]) =>
        `${name.replace(".wgsl main", "").replace(".wgsl", "")} ${digits(1e3 * seconds, 2)}`
      ),
  ).join(", ");
}

async function modelled(): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const folder = `${cache}/${NAME}`, models: Model[] = [], withDawn: Model[] = [];
  await Deno.mkdir(folder, { recursive: true });
  try {
    const mesa = await findMesa(folder);
    const dawn = await findDawn(folder);
    for (const machine of machines) {
      models.push(modelOf(machine, await compileFor(machine, mesa, folder)));
      if (dawn) withDawn.push(modelOf(machine, await compileFor(machine, mesa, folder, dawn)));
    }
  } catch (error) {
    if (!(error instanceof MesaMissing)) throw error;
    return `Not modelled: ${error.message}.`;
  }
  return [
    `MODELLED, not measured: none of these GPUs was there. Mesa's drivers have the compilers of real ones; told that there is a ` +
    `${
      models.map(({ machine }) => machine.name).join(", or a ")
    }, they compile what WebGPU hands to them. Each instruction is ` +
    "then given the cycles that vendors' documents say, in order, waiting where it waits; waves that share a SIMD take as " +
    "long as one alone, or as the busiest unit is for all of them. Caches, DRAM and bank conflicts do not count, NVIDIA's own " +
    "compiler is another one, and turns of loops that depend on data are assumed. Good to some tens of per cent at best.",
    "Exact attention, tiles of queries by keys: registers of a lane, spilled ones, waves on a SIMD, and the share of the peak in " +
    "multiply-adds that are of use (where values are wider than 128, several workgroups compute the same logits). Those with " +
    "Dawn, Chrome's WebGPU, which unlike Deno's has subgroups, are compiled from what it hands on; where lanes share rows, they " +
    "are those of a subgroup.",
    markdownTable(
      ["GPU", "d", "tile", "registers", "spilled", "waves", "share of peak", "limit"],
      models.flatMap((model, at) =>
        [model, ...withDawn.slice(at, at + 1)].flatMap(({ machine, compiled, kernels }) =>
          tileRows(machine, compiled, kernels)
        )
      ),
    ),
    "Whole calls on the device, ms, of which 5 µs for each dispatch; uploads and read-backs are left out. The longest steps are " +
    `those on the ${
      models[0].machine.name
    }. “Over”: a kernel is not counted, since its loops are not those that the model knows.`,
    markdownTable(
      [...CALL, ...models.flatMap(({ machine }) => [machine.name, "exact : this"]), "longest"],
      callRows(models),
    ),
  ].join("\n\n");
}

/** The section. */
export async function gpu([rounds = 9]: readonly number[]): Promise<string> {
  const found = await measured(rounds);
  return [
    found ??
      "Measured: nothing, since this machine has no GPU that WebGPU can use. On one that has, the same command measures.",
    await modelled(),
  ].join("\n\n");
}
