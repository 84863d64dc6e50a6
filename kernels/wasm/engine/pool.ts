import { DeviceLostError } from "../../errors.ts";
import { canShareMemory, hardwareThreads, maySleep, nextMacrotask, Turns } from "../../runtime.ts";
import { Arena } from "./arena.ts";
import * as layout from "./layout.ts";
import type { Program } from "./program.ts";
import { compileVariant, hasRelaxedSimd, type Variant } from "./variants.ts";
import { Workers } from "./workers.ts";

/** Most threads that are used unless the caller asks for more. */
const MOST_THREADS = 16;
/** Memory that is kept however little of it is used, in bytes. */
const KEPT_BYTES = 64 * 2 ** 20;
/** How many times the memory that was needed lately is kept. */
const KEPT_TIMES = 4;
/** The main thread lets other events have their turn this often. */
const SLICE_MS = 30;
/** How often the main thread looks whether the workers have left before it lets events have a turn. */
const LEAVING_SPINS = 100000;

/** The module's `work`. */
type Work = (deadline: number, maySleep: number) => number;

/** The main thread and its workers, all running the same module on the same memory. */
export class Pool {
  readonly arena: Arena;
  readonly variant: Variant;
  readonly #module: WebAssembly.Module;
  readonly #reason: string | null;
  readonly #work: Work;
  readonly #workers: Workers;
  readonly #maySleep: boolean;
  readonly #turns = new Turns();
  /** Why the device cannot be used any more. */
  #lost: string | null = null;

  private constructor(variant: Variant, module: WebAssembly.Module, workers: number, reason: string | null) {
    this.arena = new Arena(variant.shared);
    this.variant = variant;
    this.#module = module;
    const { memory } = this.arena;
    const instance = new WebAssembly.Instance(module, {
      env: { memory },
      host: { now: () => performance.now() },
    });
    this.#work = instance.exports.work as Work;
    this.#workers = new Workers({ module, memory }, workers, () => this.#lost ??= "a worker broke down");
    this.#reason = reason;
    this.#maySleep = variant.shared && maySleep();
  }

  /**
   * Compiles the module; without workers where they cannot be had.
   *
   * @param threads Threads including the main one, all started now; by default one per core, started as there is work.
   * @param wanted Overrides the choice of the build, for tests.
   * @param onProgress Hears of each worker that has started.
   */
  static async open(threads?: number, wanted: Partial<Variant> = {}, onProgress?: () => void): Promise<Pool> {
    const count = threads ?? Math.min(hardwareThreads(), MOST_THREADS);
    const relaxed = wanted.relaxed ?? hasRelaxedSimd();
    const make = async (shared: boolean, workers: number, reason: string | null) => {
      const variant = { relaxed, shared };
      return new Pool(variant, await compileVariant(variant), workers, reason);
    };
    if (count === 1) return await make(wanted.shared ?? false, 0, null);
    const shared = wanted.shared ?? canShareMemory();
    if (!shared) return await make(false, 0, "memory cannot be shared");
    let pool: Pool;
    try {
      pool = await make(true, count - 1, null);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // Some engines have less memory to share than to use alone.
      return await make(false, 0, "memory to share is refused");
    }
    if (threads === undefined || await pool.#workers.startAll(onProgress) > 0) return pool;
    pool.destroy();
    // A content security policy may forbid workers: one thread does the same work.
    return await make(false, 0, "workers cannot be started");
  }

  /** Another pool of the same kind and size with memory of its own; its workers start as there is work for them. */
  #another(): Pool {
    return new Pool(this.variant, this.#module, this.#workers.wanted, this.reason);
  }

  /**
   * The pool to go on with, none of whose memory is in use: this one or, since memory never shrinks, a fresh one in its place if
   * what was needed lately is far less.
   */
  trimmed(neededBytes: number): Pool {
    if (this.#lost || this.arena.size <= Math.max(KEPT_BYTES, KEPT_TIMES * neededBytes)) return this;
    let fresh: Pool;
    try {
      fresh = this.#another();
    } catch {
      // Better too much memory than none.
      return this;
    }
    this.destroy();
    return fresh;
  }

  /** Why the device cannot be used any more, or null. */
  get lost(): string | null {
    return this.#lost;
  }

  /** Number of threads, the main one included. */
  get threads(): number {
    return this.#workers.wanted + 1;
  }

  /** Why there are fewer threads than were wanted, or null. */
  get reason(): string | null {
    return this.#reason ?? this.#workers.refusal;
  }

  /** Runs a program to its end; the main thread ends what it is at, and does `first`, before it takes part. */
  async run(program: Program, signal?: AbortSignal, first?: () => void): Promise<void> {
    signal?.throwIfAborted();
    this.#throwIfLost();
    if (program.size === 0) return;
    const { arena } = this, start = arena.top;
    const address = arena.allocate(program.size * layout.OPERATION_BYTES);
    const scratchBytes = Math.ceil(program.scratchBytes / 64 + 1) * 64;
    const scratch = arena.allocate(scratchBytes * this.threads);
    const end = arena.top;
    program.write(arena.words(address, program.size * layout.OPERATION_BYTES / 4));
    this.#set(layout.PROGRAM, address);
    this.#set(layout.OPERATIONS, program.size);
    this.#set(layout.SCRATCH, scratch);
    this.#set(layout.SCRATCH_BYTES, scratchBytes);
    this.#set(layout.COMPLETED, 0);
    this.#set(layout.ABORTED, 0);
    this.#set(layout.OPEN, 1);
    this.rouse();
    try {
      first?.();
      await undefined;
      await this.#takePart(signal);
    } finally {
      await this.#close();
      // Arrays made in the meantime lie above, and keep the region until the next reset.
      if (arena.top === end) arena.release(start);
    }
    // Many short programs, too, let other events have their turn.
    await this.#turns.take(signal);
  }

  /** Works in slices; between them timers and signals have their turn, and workers start, which join at once. */
  async #takePart(signal?: AbortSignal): Promise<void> {
    while (!this.#workSlice()) {
      await nextMacrotask();
      signal?.throwIfAborted();
      this.#throwIfLost();
    }
  }

  /** Whether all is done. */
  #workSlice(): boolean {
    const start = performance.now();
    const done = this.#work(start + SLICE_MS, this.#maySleep ? 1 : 0) === layout.DONE;
    this.#workers.worked(performance.now() - start);
    return done;
  }

  #throwIfLost(): void {
    if (this.#lost) throw new DeviceLostError(`Cannot run: ${this.#lost}`);
  }

  /** Lets no worker in any more and waits until those inside have left. */
  async #close(): Promise<void> {
    if (!this.variant.shared) return;
    const control = this.#control();
    Atomics.store(control, layout.OPEN / 4, 0);
    Atomics.store(control, layout.ABORTED / 4, 1);
    // A worker that was ended cannot sign off.
    for (let spin = 0; Atomics.load(control, layout.JOINED / 4) > 0 && !this.#lost; spin++) {
      if (spin > LEAVING_SPINS) await nextMacrotask();
    }
  }

  #control(): Int32Array {
    return new Int32Array(this.arena.memory.buffer, 0, layout.CONTROL_BYTES / 4);
  }

  #set(address: number, value: number): void {
    Atomics.store(this.#control(), address / 4, value);
  }

  /** Wakes the workers; they look out for a program for a while, so this may be called ahead of one. */
  rouse(): void {
    if (!this.variant.shared) return;
    const control = this.#control();
    Atomics.add(control, layout.GENERATION / 4, 1);
    Atomics.notify(control, layout.GENERATION / 4);
  }

  /** Ends the workers; a run in progress is refused at its next slice. */
  destroy(): void {
    if (this.#lost === "the device was destroyed") return;
    this.#lost = "the device was destroyed";
    this.#set(layout.STOPPED, 1);
    this.#set(layout.ABORTED, 1);
    this.rouse();
    this.#workers.terminate();
  }
}
