import { DeviceUnavailableError } from "./errors.ts";

/** Looks at the clock in the time of one patience. */
const TICKS = 20;

/** What `work` gives, or the reason of the signal as soon as that is aborted; the work itself is not stopped. */
export function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}

/**
 * What `work` gives, unless it makes no progress for too long. Time counts only while the event loop turns, since drivers
 * that compile on this thread hold it up for as long as that takes: each tick is one, however late it comes.
 *
 * @throws {DeviceUnavailableError} When nothing was heard for `seconds`; the work itself is not stopped.
 */
export async function withPatience<T>(
  seconds: number,
  what: string,
  work: (progress: () => void) => Promise<T>,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let ticks = 0;
  const timer = setInterval(() => {
    if (++ticks < TICKS) return;
    reject(new DeviceUnavailableError(`Cannot open ${what}: it made no progress for ${seconds} s`));
  }, 1000 * seconds / TICKS);
  try {
    return await Promise.race([work(() => ticks = 0), promise]);
  } finally {
    clearInterval(timer);
  }
}
