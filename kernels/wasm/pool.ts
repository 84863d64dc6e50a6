import { DeviceLostError } from "../errors.ts";
import {
  canShareMemory,
  hardwareThreads,
  maySleep,
  nextMacrotask,
  startWorker,
  type WorkerThread,
} from "../runtime.ts";
import { Arena } from "./arena.ts";
import * as layout from "./layout.ts";
import type { Program } from "./program.ts";
import { compileVariant, hasRelaxedSimd, type Variant } from "./variants.ts";
import { workerSource } from "./worker.ts";

/** Most threads that are used unless the caller asks for more. */
const MOST_THREADS = 16;
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
  /** Why there is only one thread although more were wanted, or null. */
  readonly reason: string | null;
  readonly #work: Work;
  readonly #workers: WorkerThread[];
  readonly #maySleep: boolean;
  /** Why the device cannot be used any more. */
  #lost: string | null = null;

  private constructor(
    arena: Arena,
    variant: Variant,
    work: Work,
    workers: WorkerThread[],
    reason: string | null,
  ) {
    this.arena = arena;
    this.variant = variant;
    this.#work = work;
    this.#workers = workers;
    this.reason = reason;
    this.#maySleep = variant.shared && maySleep();
    for (const worker of workers) worker.onFailure = () => this.#lost ??= "a worker broke down";
  }

  /**
   * Compiles the module and starts the workers; without workers where they cannot be had.
   *
   * @param threads Threads including the main one.
   * @param wanted Overrides the choice of the build, for tests.
   */
  static async open(threads?: number, wanted: Partial<Variant> = {}): Promise<Pool> {
    const count = threads ?? Math.min(hardwareThreads(), MOST_THREADS);
    const relaxed = wanted.relaxed ?? hasRelaxedSimd();
    if (count === 1) return await Pool.#start({ relaxed, shared: wanted.shared ?? false }, 1, null);
    const shared = wanted.shared ?? canShareMemory();
    let reason = "memory cannot be shared";
    if (shared) {
      try {
        return await Pool.#start({ relaxed, shared }, count, null);
      } catch {
        // A content security policy may forbid workers: one thread does the same work.
        reason = "workers cannot be started";
      }
    }
    return await Pool.#start({ relaxed, shared: false }, 1, reason);
  }

  static async #start(variant: Variant, threads: number, reason: string | null): Promise<Pool> {
    const module = await compileVariant(variant), arena = new Arena(variant.shared);
    const instance = new WebAssembly.Instance(module, {
      env: { memory: arena.memory },
      host: { now: () => performance.now() },
    });
    const source = workerSource();
    const started = await Promise.allSettled(
      Array.from(
        { length: threads - 1 },
        (_, index) => startWorker(source, { module, memory: arena.memory, thread: index + 1 }),
      ),
    );
    const workers = started.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    const pool = new Pool(arena, variant, instance.exports.work as Work, workers, reason);
    if (workers.length < threads - 1) {
      pool.destroy();
      throw new Error("Cannot start all workers");
    }
    return pool;
  }

  /** Number of threads, the main one included. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /** Runs a program to its end; the main thread does `first` before it takes part. */
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
      await this.#takePart(signal);
    } finally {
      await this.#close();
      // Arrays made in the meantime lie above, and keep the region until the next reset.
      if (arena.top === end) arena.release(start);
    }
  }

  /** Works in slices; between them timers and signals have their turn. */
  async #takePart(signal?: AbortSignal): Promise<void> {
    while (this.#work(performance.now() + SLICE_MS, this.#maySleep ? 1 : 0) !== layout.DONE) {
      await nextMacrotask();
      signal?.throwIfAborted();
      this.#throwIfLost();
    }
  }

  #throwIfLost(): void {
    if (this.#lost) throw new DeviceLostError(`Cannot run: ${this.#lost}`);
  }

  /** Lets no worker in any more and waits until those inside have left. */
  async #close(): Promise<void> {
    if (this.#workers.length === 0) return;
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
    if (this.#workers.length === 0) return;
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
    for (const worker of this.#workers) worker.terminate();
  }
}
