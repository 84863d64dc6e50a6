import { setTimeout } from "node:timers/promises";

/** Milliseconds between two looks, and after which nothing is waited for any longer. */
const PAUSE = 50, LIMIT = 300_000;

/**
 * Waits until there is something.
 *
 * @param what What is waited for, in words.
 * @param look Gives it, or undefined as long as it is not there.
 * @param why Says, when it was waited for in vain, what there is instead.
 * @throws {Error} If it never comes.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  why: () => Promise<string> = () => Promise.resolve(""),
): Promise<T> {
  const end = performance.now() + LIMIT;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await setTimeout(PAUSE);
  }
  throw new Error(`Waited in vain for ${what}\n${await why()}`);
}
