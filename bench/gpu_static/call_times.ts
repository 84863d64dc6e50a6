import { addCycles, type Cycles, type Machine, NO_CYCLES } from "./machines.ts";
import type { KernelCycles } from "./kernel_cycles.ts";
import type { Dispatch, Run } from "./runs.ts";
import { turnsOf, workingOf } from "./turns.ts";

/** Seconds that a dispatch takes before anything runs. */
const LAUNCH = 5e-6;

/** A dispatch and the seconds that the model says. */
export interface TimedDispatch {
  readonly name: string;
  readonly workgroups: number;
  readonly seconds: number;
}

/** What the model says of a call. */
export interface TimedRun {
  readonly seconds: number;
  readonly dispatches: readonly TimedDispatch[];
  /** Kernels whose loops the list of turns does not know, or knows otherwise: their time is missing. */
  readonly unknown: readonly string[];
}

/** Models the time of every dispatch of a run. */
export function timeRun(
  { dispatches }: Run,
  kernels: ReadonlyMap<string, KernelCycles>,
  machine: Machine,
): TimedRun {
  const unknown = new Set<string>();
  const timed = dispatches.map((dispatch): TimedDispatch => {
    const name = `${dispatch.file} ${dispatch.entryPoint}`, kernel = kernels.get(dispatch.label);
    const turns = turnsOf(dispatch), { workgroups } = dispatch;
    if (!kernel || turns?.length !== kernel.loops.length) {
      unknown.add(name);
      return { name, workgroups, seconds: 0 };
    }
    return { name, workgroups, seconds: dispatchSeconds(dispatch, kernel, turns, machine) };
  });
  return {
    seconds: timed.reduce((sum, { seconds }) => sum + seconds, 0),
    dispatches: timed,
    unknown: [...unknown],
  };
}

/** Waves come in rounds of as many as fit; a round takes as long as one of them alone, or as the busiest unit is for all. */
function dispatchSeconds(
  dispatch: Dispatch,
  { lanes, waves, outside, loops }: KernelCycles,
  turns: readonly number[],
  machine: Machine,
): number {
  const one = loops.reduce((sum, loop, at) => addCycles(sum, loop, turns[at]), addCycles(NO_CYCLES, outside));
  const perSimd = workingOf(dispatch) * Math.ceil(dispatch.invocations / lanes) / machine.simds;
  const rounds = Math.ceil(perSimd / waves), together = Math.min(waves, Math.max(1, perSimd));
  return LAUNCH + rounds * Math.max(one.alone, together * busiest(one)) / machine.hertz;
}

/** Cycles of the unit that is occupied longest. */
export function busiest({ vector, shared, memory }: Cycles): number {
  return Math.max(vector, shared, memory);
}
