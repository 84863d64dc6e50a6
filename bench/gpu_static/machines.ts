import type { Instruction } from "./machine_code.ts";

/** A GPU as the model sees it: what vendors' documents say, not measured here. */
export interface Machine {
  readonly name: string;
  /** What Mesa is told to find. */
  readonly chip: string;
  readonly driver: "amdgpu" | "nouveau";
  /** SIMDs or schedulers, and their cycles in a second. */
  readonly simds: number;
  readonly hertz: number;
  /** Lanes of an instruction that a SIMD takes in a cycle. */
  readonly lanes: number;
  /** Bytes a cycle that workgroup memory and global memory give to a SIMD when all of a unit want them. */
  readonly shared: number;
  readonly memory: number;
  /** Cycles until they answer. */
  readonly sharedWait: number;
  readonly memoryWait: number;
  readonly scalarWait: number;
}

/** The GPUs that are modelled. */
export const machines: readonly Machine[] = [
  {
    name: "Radeon RX 6800 (RDNA 2)",
    chip: "navi21",
    driver: "amdgpu",
    simds: 120,
    hertz: 2.1e9,
    lanes: 32,
    shared: 64,
    memory: 32,
    sharedWait: 50,
    memoryWait: 350,
    scalarWait: 60,
  },
  {
    name: "GeForce RTX 3080 (GA102)",
    chip: "0x172",
    driver: "nouveau",
    simds: 272,
    hertz: 1.7e9,
    lanes: 32,
    shared: 32,
    memory: 16,
    sharedWait: 30,
    memoryWait: 300,
    scalarWait: 30,
  },
];

/** Slots of roots, exponentials, conversions and wide integer products. */
const SLOW_SLOTS = 4;
/** Cycles after which a result that none of the memories gives is there. */
const ORDINARY_WAIT = 20;

/** Cycles for which a wave occupies each unit, and those that it takes where it is alone. */
export interface Cycles {
  readonly vector: number;
  readonly shared: number;
  readonly memory: number;
  readonly alone: number;
}

/** What nothing takes. */
export const NO_CYCLES: Cycles = { vector: 0, shared: 0, memory: 0, alone: 0 };

/** The sum of some cycles and a multiple of others. */
export function addCycles(a: Cycles, b: Cycles, times = 1): Cycles {
  return {
    vector: a.vector + times * b.vector,
    shared: a.shared + times * b.shared,
    memory: a.memory + times * b.memory,
    alone: a.alone + times * b.alone,
  };
}

/** Runs code once in order, waiting where it waits. */
export function cyclesOf(body: readonly Instruction[], machine: Machine, wave: number): Cycles {
  const isNvidia = machine.driver === "nouveau", passes = Math.max(1, wave / machine.lanes);
  const busy = { vector: 0, shared: 0, memory: 0 }, free = { shared: 0, memory: 0 };
  const pending: Record<string, number[]> = { vm: [], lgkm: [] }, boards = new Map<number, number>();
  let now = 0;
  for (const { kind, op, bytes, delay, sets, waits } of body) {
    const isVector = kind === "fma" || kind === "valu" || kind === "special" || kind === "wide";
    const slow = kind === "special" || kind === "wide" ? SLOW_SLOTS : 1;
    const slots = isNvidia ? slow : isVector ? slow * passes * delay : 0;
    busy.vector += slots;
    for (const [counter, left] of waits) {
      if (typeof counter === "number") now = Math.max(now, boards.get(counter) ?? 0);
      else while (pending[counter].length > left) now = Math.max(now, pending[counter].shift()!);
    }
    let done = now + (kind === "scalar" ? machine.scalarWait : ORDINARY_WAIT);
    if (kind === "shared" || kind === "memory") {
      const cycles = bytes * wave / machine[kind];
      busy[kind] += cycles;
      free[kind] = Math.max(free[kind], now) + cycles;
      done = free[kind] + machine[`${kind}Wait`];
    }
    if (sets !== undefined) boards.set(sets, done);
    if (kind === "memory" && !op.includes("store")) pending.vm.push(done);
    else if (kind === "shared" || kind === "scalar") pending.lgkm.push(done);
    now += isNvidia ? delay : Math.max(1, slots);
  }
  return { ...busy, alone: now };
}
