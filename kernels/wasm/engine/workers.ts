import { startWorker, type WorkerThread } from "../../runtime.ts";
import { type WorkerData, workerSource } from "./worker.ts";

/**
 * Milliseconds of work on the main thread that are worth one more worker. Starting one holds the main thread up for 70
 * to 190 ms in Deno: a program with less to do than that shall not wait for it.
 */
const WORTH_MS = 50;
/** Workers that start at the same time: with more of them each answers later, until it seems to be dead. */
const STARTING = 8;

/** The worker threads of a pool, started all at once or as there is work for them. */
export class Workers {
  readonly #data: Omit<WorkerData, "thread">;
  readonly #onFailure: () => void;
  readonly #running: WorkerThread[] = [];
  #wanted: number;
  #started = 0;
  #workedMs = 0;
  #ended = false;
  #refusal: string | null = null;

  /** `onFailure` is called when a worker breaks down after it had started. */
  constructor(data: Omit<WorkerData, "thread">, wanted: number, onFailure: () => void) {
    this.#data = data;
    this.#wanted = wanted;
    this.#onFailure = onFailure;
  }

  /** Number of workers that run, or will once there is work for them. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Why there are fewer than were wanted, or null. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** Starts every worker, or as many as can be; `onStart` hears of each. Returns how many run. */
  async startAll(onStart: () => void = () => {}): Promise<number> {
    const startSome = async () => {
      while (this.#started < this.#wanted && !this.#ended) {
        try {
          await this.#start();
          onStart();
        } catch {
          const all = this.#wanted;
          this.#started = this.#wanted;
          this.#refusal ??= `only some of ${all} workers can be started`;
        }
      }
    };
    await Promise.all(Array.from({ length: STARTING }, startSome));
    this.#wanted = this.#running.length;
    return this.#wanted;
  }

  /** Notes for how long the main thread has worked, and starts the next worker when that is worth it. */
  worked(milliseconds: number): void {
    if (this.#started >= this.#wanted) return;
    this.#workedMs += milliseconds;
    if (this.#workedMs < WORTH_MS) return;
    this.#workedMs = 0;
    this.#start().catch(() => {
      // A content security policy may forbid workers: the threads that are there do the same work.
      this.#wanted = this.#running.length;
      this.#refusal = "workers cannot be started";
    });
  }

  /** Ends all of them, those too that are still starting. */
  terminate(): void {
    this.#ended = true;
    for (const worker of this.#running) worker.terminate();
  }

  async #start(): Promise<void> {
    const worker = await startWorker(workerSource(), { ...this.#data, thread: ++this.#started });
    if (this.#ended) return worker.terminate();
    worker.onFailure = this.#onFailure;
    this.#running.push(worker);
  }
}
