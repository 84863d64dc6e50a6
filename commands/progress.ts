import process from "node:process";

/** Shows how far long work has come: on a terminal's error stream only, so that results stay clean. */
export interface ProgressLine {
  /** Reports `done` of `total` units of a thing. */
  update(done: number, total: number, what: string): void;
  /** Ends the line. */
  finish(): Promise<void>;
}

/** The part of @std/cli's ProgressBar in use. */
interface Bar {
  value: number;
  max: number;
  stop(): Promise<void>;
}
type BarClass = new (
  options: {
    max: number;
    clear: boolean;
    barLength: number;
    fmt: (state: { progressBar: string }) => string;
  },
) => Bar;

// Not a literal at the point of import: the command line must start where JSR cannot be reached, and on Bun.
const barModule = "jsr:@std/cli@^1.0.28/unstable-progress-bar";

/** A progress line for this terminal: @std/cli's bar, or plain lines where that cannot be loaded. */
export async function openProgress(): Promise<ProgressLine> {
  if (!process.stderr.isTTY) return { update: () => {}, finish: () => Promise.resolve() };
  const loaded: { ProgressBar: BarClass } | undefined = await import(barModule).catch(() => undefined);
  return loaded ? drawBar(loaded.ProgressBar) : writeLines();
}

function drawBar(ProgressBar: BarClass): ProgressLine {
  let bar: Bar | undefined, label = "";
  return {
    update(done, total, what) {
      label = what;
      bar ??= new ProgressBar({
        max: total,
        clear: true,
        barLength: 24,
        fmt: ({ progressBar }) => `[${progressBar}] ${label}`,
      });
      bar.max = total;
      bar.value = done;
    },
    async finish() {
      await bar?.stop();
      bar = undefined;
    },
  };
}

function writeLines(): ProgressLine {
  let last = Date.now();
  return {
    update(done, total, what) {
      const now = Date.now();
      if (now - last < 1000) return;
      last = now;
      process.stderr.write(`${what}: ${Math.round((100 * done) / total)} %\n`);
    },
    finish: () => Promise.resolve(),
  };
}
