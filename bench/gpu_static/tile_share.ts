import { digits } from "../markdown.ts";
import { busiest } from "./call_times.ts";
import type { Compiled } from "./compile.ts";
import type { KernelCycles } from "./kernel_cycles.ts";
import { addCycles, type Machine, NO_CYCLES } from "./machines.ts";
import { turnsOf } from "./turns.ts";

const SPILLS = ["Spilled SGPRs", "Spilled VGPRs", "Spills to memory", "Spills to reg"];

/** Registers and share of the peak of every tile of exact attention. */
export function tileRows(
  machine: Machine,
  { runs, kernels: compiled }: Compiled,
  kernels: ReadonlyMap<string, KernelCycles>,
): string[][] {
  return runs.filter(({ title }) => title.startsWith("tile ")).flatMap(({ title, dispatches }) => {
    const dispatch = dispatches.find(({ file }) => /^attend_(tiles|subgroups)\.wgsl/.test(file));
    const kernel = dispatch && kernels.get(dispatch.label),
      numbers = dispatch && compiled.get(dispatch.label)?.numbers;
    const all = dispatch && turnsOf({ ...dispatch, file: dispatch.file.split(",")[0] });
    // Of four slices of features the loop may be written out.
    const turns = all && all.length === (kernel?.loops.length ?? 0) + 1 ? all.toSpliced(2, 1) : all;
    if (!kernel || !numbers || turns?.length !== kernel.loops.length) return [];
    const { values, parameters } = dispatch, tiles = turns[0];
    const sum = kernel.loops.reduce((all, loop, at) => addCycles(all, loop, turns[at] / tiles), NO_CYCLES);
    // Multiply-adds of a tile of keys for each lane; of those of the logits a chunk of columns has its share.
    const useful = 4 * tileKeys(values)! * (values.FEATURES / parameters.chunks + values.COLUMNS) *
      (values.SHARING ? values.FOUR / values.SHARING : 1);
    const cycles = Math.max(busiest(sum), sum.alone / kernel.waves);
    const limit = sum.alone / kernel.waves >= busiest(sum) ? "waits" : limitOf(sum);
    const [, d, ...tile] = title.split(" ");
    return [[
      machine.name,
      d.slice(2),
      tile.join(" ").replace("x", "×"),
      String(numbers["VGPRs"] ?? numbers["Number of GPRs"]),
      String(SPILLS.reduce((all, name) => all + (numbers[name] ?? 0), 0)),
      digits(kernel.waves),
      `${digits(100 * useful * kernel.lanes / machine.lanes / cycles)} %`,
      limit,
    ]];
  });
}

/** Keys that a tile of exact attention has in workgroup memory; undefined of other kernels. */
export function tileKeys(values: Readonly<Record<string, number | undefined>>): number | undefined {
  const { FOUR, ACROSS, KEYS, QUADS, STRETCH } = values;
  if (!STRETCH) return undefined;
  return ACROSS ? FOUR! * ACROSS : QUADS && KEYS! * QUADS;
}

function limitOf({ vector, shared, memory }: { vector: number; shared: number; memory: number }): string {
  const most = Math.max(vector, shared, memory);
  return most === vector ? "instructions" : most === shared ? "workgroup memory" : "global memory";
}
