import process from "node:process";

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;
type Signal = keyof typeof SIGNALS;

const cleanups = new Set<() => void>();

/** Exit code of a program that a signal ended, as shells give it. */
export function exitCodeOf(signal: Signal): number {
  return 128 + SIGNALS[signal];
}

function end(signal: Signal): void {
  for (const cleanUp of cleanups) cleanUp();
  process.exit(exitCodeOf(signal));
}

/**
 * Runs an action, and `cleanUp` if SIGINT or SIGTERM ends the program meanwhile. Signals are listened to for that long
 * only: a computation that blocks the event loop would otherwise not be ended by them.
 */
export async function withCleanUp<T>(cleanUp: () => void, action: () => Promise<T>): Promise<T> {
  if (cleanups.size === 0) listen(end);
  cleanups.add(cleanUp);
  try {
    return await action();
  } finally {
    cleanups.delete(cleanUp);
    if (cleanups.size === 0) ignore(end);
  }
}

/**
 * Runs an action that can be stopped: the first signal aborts, and a second one ends the program.
 *
 * @param action Given the abort signal, and a function that tells which signal came.
 */
export async function interruptible<T>(
  action: (abort: AbortSignal, received: () => Signal | undefined) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let received: Signal | undefined;
  const stop = (signal: Signal) => {
    if (received !== undefined) end(signal);
    received = signal;
    controller.abort(new DOMException(`Interrupted by ${signal}`, "AbortError"));
  };
  listen(stop);
  try {
    return await action(controller.signal, () => received);
  } finally {
    ignore(stop);
  }
}

function listen(listener: (signal: Signal) => void): void {
  for (const signal of Object.keys(SIGNALS)) process.on(signal as Signal, listener);
}

function ignore(listener: (signal: Signal) => void): void {
  for (const signal of Object.keys(SIGNALS)) process.off(signal as Signal, listener);
}
