/** One thread of the ceiling on WebAssembly: does a thing again and again for a while and tells how often. */

/** What to do. */
export interface CeilingTask {
  readonly binary: Uint8Array;
  readonly kind: "multiplyAdds" | "copy";
  /** Bytes of one copy. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Rounds of multiply-adds or bytes copied in a second. */
export interface CeilingAnswer {
  readonly perSecond: number;
}

/** Between two looks at the clock. Few, since the engine optimises a function between two calls of it only. */
const ROUNDS = 1000;

interface Loops {
  multiplyAdds(rounds: number, a: number, b: number): number;
  copy(to: number, from: number, bytes: number): void;
}

globalThis.onmessage = ({ data }: MessageEvent<CeilingTask>) => {
  const { kind, bytes, milliseconds } = data, start = 65536;
  const memory = new WebAssembly.Memory({ initial: 2 + Math.ceil(2 * bytes / 65536), maximum: 65536 });
  const module = new WebAssembly.Module(data.binary as Uint8Array<ArrayBuffer>);
  const loops = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Loops;
  const once = kind === "copy" ? bytes : ROUNDS;
  const run = () =>
    kind === "copy" ? loops.copy(start, start + bytes, bytes) : loops.multiplyAdds(ROUNDS, 0.999, 0.001);
  // Pages are there before the clock runs.
  new Uint8Array(memory.buffer).fill(1);
  const repeat = () => {
    const begin = performance.now();
    let done = 0, elapsed = 0;
    while (elapsed < milliseconds) {
      run();
      done += once;
      elapsed = performance.now() - begin;
    }
    return done / elapsed * 1e3;
  };
  // The first time compiles.
  repeat();
  const answer: CeilingAnswer = { perSecond: repeat() };
  (globalThis as unknown as Worker).postMessage(answer);
};
