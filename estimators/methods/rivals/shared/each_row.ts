import { Turns } from "../../../../kernels/runtime.ts";

/** Rows between two looks at the clock. */
const AT_ONCE = 16;

/** Host work row by row, in which timers and abort signals have their turn. */
export async function eachRow(
  count: number,
  signal: AbortSignal | undefined,
  work: (row: number) => void,
): Promise<void> {
  const turns = new Turns();
  for (let row = 0; row < count; row++) {
    if (row % AT_ONCE === 0) await turns.take(signal);
    work(row);
  }
}
