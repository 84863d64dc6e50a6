import { type Block, findLoops, type Loop } from "./loops.ts";
import type { CompiledKernel, Instruction } from "./machine_code.ts";
import { addCycles, type Cycles, cyclesOf, type Machine, NO_CYCLES } from "./machines.ts";

/** What a kernel takes: one turn of each loop, and what is in none. */
export interface KernelCycles {
  /** Lanes of a wave. */
  readonly lanes: number;
  /** Waves that fit on a SIMD. */
  readonly waves: number;
  readonly outside: Cycles;
  readonly loops: readonly Cycles[];
}

/** Measures loops of tiles of attention in which only the end of a stretch of keys touches the output. */
export function kernelCycles(kernel: CompiledKernel, machine: Machine, stretchTurns = 1): KernelCycles {
  const { loops, outside } = findLoops(kernel), { lanes } = kernel;
  return {
    lanes,
    waves: wavesOf(kernel, machine),
    outside: cyclesOf(outside, machine, lanes),
    loops: loops.map((loop) => {
      const { always, rarely } = partsOf(loop, stretchTurns);
      const rare = cyclesOf(rarely, machine, lanes);
      return addCycles(addCycles(NO_CYCLES, cyclesOf(always, machine, lanes)), rare, 1 / stretchTurns);
    }),
  };
}

/** What a turn always runs, and the blocks that store results, with the one in front of them that loads what they are added to. */
function partsOf({ blocks }: Loop, stretchTurns: number): { always: Instruction[]; rarely: Instruction[] } {
  const stores = (block: Block) => block.some(({ kind, op }) => kind === "memory" && /store|^st\./.test(op));
  const first = blocks.findIndex(stores), last = blocks.findLastIndex(stores);
  if (stretchTurns === 1 || first < 0) return { always: blocks.flat(), rarely: [] };
  const isRare = (at: number) => at >= first - 2 && at <= last;
  return {
    always: blocks.filter((_, at) => !isRare(at)).flat(),
    rarely: blocks.filter((_, at) => isRare(at)).flat(),
  };
}

/** Waves that a SIMD holds: of RDNA 2 the compiler counts them as if they had 32 lanes, of NVIDIA by the registers alone. */
function wavesOf({ numbers, lanes }: CompiledKernel, { driver }: Machine): number {
  return driver === "amdgpu"
    ? (numbers["Subgroups per SIMD"] ?? 0) * 32 / lanes
    : (numbers["Max warps/SM"] ?? 0) / 4;
}
