import process from "node:process";

/** Shows how far long work has come: on a terminal's error stream only, so that results stay clean. */
export interface ProgressLine {
  /** Reports `done` of `total` units of a thing. */
  update(done: number, total: number, what: string): void;
  /** Removes the line. */
  finish(): void;
}

/** Width of the bar, and the time between two drawings in milliseconds: a terminal is slower than work of many parts. */
const WIDTH = 24, LEAST_PAUSE = 100;
const CLEAR_LINE = "\r\x1b[K";

/**
 * A progress line for this terminal. It is drawn here, and not by a library: whatever is fetched to show progress holds
 * the program up where the network drops packets, since one import waits for another.
 */
export function openProgress(): ProgressLine {
  if (!process.stderr.isTTY) return { update: () => {}, finish: () => {} };
  let drawn = false, last = -Infinity;
  return {
    update(done, total, what) {
      const now = performance.now();
      if (now - last < LEAST_PAUSE) return;
      last = now;
      drawn = true;
      process.stderr.write(`${CLEAR_LINE}${progressText(done, total, what, process.stderr.columns || 80)}`);
    },
    finish() {
      if (drawn) process.stderr.write(CLEAR_LINE);
      drawn = false;
    },
  };
}

/** `[######------------------]  25 % attending heads`, in at most `columns` columns. */
export function progressText(done: number, total: number, what: string, columns: number): string {
  const share = done > 0 && total > 0 ? Math.min(1, done / total) : 0, filled = Math.round(share * WIDTH);
  const bar = "#".repeat(filled).padEnd(WIDTH, "-");
  const percent = `${Math.floor(100 * share)} %`.padStart(5);
  return `[${bar}] ${percent} ${what}`.slice(0, Math.max(0, columns - 1));
}
