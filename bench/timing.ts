import process from "node:process";
import { timeInTurn, warmUp } from "../proofs_checks/comparison/time_in_turn.ts";

/** Some engines' idle threads go on looking for work for a while; they shall not take the next one's time. */
const PAUSE_MS = 40;

/** Wall-clock seconds of one call, after a pause. */
export async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1e3;
}

/**
 * Wall-clock seconds of several things in interleaved rounds, each warmed up first.
 *
 * @param warmUpMs Each is run again until so many milliseconds have passed.
 * @returns Seconds: [run][round]
 */
export async function raceInTurn(
  runs: readonly (() => Promise<unknown>)[],
  rounds: number,
  warmUpMs = 300,
): Promise<number[][]> {
  for (const run of runs) await warmUp(run, warmUpMs);
  return await timeInTurn(runs.map((run) => () => secondsOf(run)), rounds);
}

/** Says how far a section is, where results do not go. */
export function tell(what: string): void {
  process.stderr.write(`${what}\n`);
}
