/** Milliseconds after which the event loop gets its turn: often enough for a person at the keyboard, too rarely to cost. */
const PAUSE = 100;

let last = performance.now();

/**
 * Lets timers and signals have their turn, if the last one is a while ago. Work whose promises are all settled already never
 * leaves the event loop one by itself.
 */
export async function eventLoopTurn(): Promise<void> {
  if (performance.now() - last < PAUSE) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  last = performance.now();
}
