/**
 * The few things that Deno, Bun, Node and browsers do differently. Nothing is looked up at import.
 */

/** A running worker thread. */
export interface WorkerThread {
  /** Called when it broke down after it had started. */
  onFailure?: () => void;
  /** Ends it for good. */
  terminate(): void;
}

interface NodeWorker {
  once(event: "message" | "error" | "exit", listener: (value: unknown) => void): void;
  unref(): void;
  terminate(): unknown;
}

interface NodeWorkerModule {
  Worker: new (source: string, options: { eval: true; workerData: unknown }) => NodeWorker;
}

/** Gives Node's own modules, in Deno and Bun as well; browsers have none. */
function builtinModules(): ((name: "node:worker_threads") => NodeWorkerModule | undefined) | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: ReturnType<typeof builtinModules> } };
  return process?.getBuiltinModule;
}

/** Number of threads that run at the same time on this machine. */
export function hardwareThreads(): number {
  return globalThis.navigator?.hardwareConcurrency || 1;
}

/** Whether memory can be shared with workers: in browsers only on cross-origin isolated pages. */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  // Not asked of Deno, where a first look at `process` takes 40 ms.
  if ((globalThis as { Deno?: unknown }).Deno || builtinModules()) return true;
  return typeof Worker !== "undefined" &&
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
}

/** Whether this thread may sleep in Atomics.wait: the main thread of a browser may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a worker that runs `source`; resolves when it posts its first message. `data` reaches it as Node's
 * workerData, or as its first message where there are only web workers.
 *
 * Where Node's workers exist they are used, since those can be told not to keep the process alive: a
 * script that never disposes of its device must still end. A web worker in Deno cannot.
 */
export function startWorker(source: string, data: unknown, timeoutMs = 5000): Promise<WorkerThread> {
  const { promise, resolve, reject } = Promise.withResolvers<WorkerThread>();
  const node = builtinModules()?.("node:worker_threads");
  let thread: WorkerThread;
  if (node) {
    const worker = new node.Worker(source, { eval: true, workerData: data });
    let ended = false;
    thread = {
      terminate: () => {
        ended = true;
        worker.terminate();
      },
    };
    worker.once("message", () => {
      worker.unref();
      resolve(thread);
    });
    const fail = (error: unknown) => {
      reject(error);
      if (!ended) thread.onFailure?.();
    };
    worker.once("error", fail);
    // One that is ended from outside, or runs out of memory on some engines, says no more than this.
    worker.once("exit", () => fail(new Error("Cannot go on: the worker has ended")));
  } else {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url, { type: "module" });
    thread = { terminate: () => worker.terminate() };
    worker.onmessage = () => {
      worker.onmessage = null;
      URL.revokeObjectURL(url);
      resolve(thread);
    };
    worker.onerror = (event) => {
      reject(new Error(event.message));
      thread.onFailure?.();
    };
    worker.postMessage(data);
  }
  const timer = setTimeout(() => {
    thread.terminate();
    reject(new Error("Cannot start a worker: no answer in time"));
  }, timeoutMs);
  return promise.finally(() => clearTimeout(timer));
}

/** Lets timers, input events and abort signals have their turn. */
export function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
    if (setImmediate) return setImmediate(resolve);
    // Browsers hold nested timers back for 4 ms; a message comes at once.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Milliseconds after which work on the main thread lets other events have their turn. */
const SLICE_MS = 30;

/** Shares the main thread between work and other events. */
export class Turns {
  #end = 0;

  /** When the work should next pause, by `performance.now()`. */
  get end(): number {
    return this.#end;
  }

  /** Lets other events have their turn if it is time; then heeds the signal. */
  async take(signal?: AbortSignal): Promise<void> {
    if (performance.now() < this.#end) return;
    await nextMacrotask();
    signal?.throwIfAborted();
    this.#end = performance.now() + SLICE_MS;
  }
}

/**
 * Calls back after some idle time, unless cancelled before by the function that it returns. A program that waits for nothing
 * else ends nevertheless.
 */
export function afterIdle(milliseconds: number, callback: () => void): () => void {
  const timer: unknown = setTimeout(callback, milliseconds);
  // Deno gives a number, Node and Bun an object; a page in a browser ends when it is closed.
  if (typeof timer === "object") (timer as { unref?: () => void }).unref?.();
  else (globalThis as { Deno?: { unrefTimer?: (id: unknown) => void } }).Deno?.unrefTimer?.(timer);
  return () => clearTimeout(timer as number);
}

/** Just below the largest array that the C library of Linux can be taught to keep. */
const KEPT_BYTES = 31 * 2 ** 20;

/**
 * Has results share memory with results that are gone. glibc gives arrays beyond a threshold fresh pages each time,
 * which the system clears one by one: for a result of 800 kB up to 4 ms, longer than computing it. The threshold rises to the
 * size of the largest array freed, so one is freed here; it never had pages of its own.
 */
export function reuseFreedMemory(): void {
  // Engines of before 2024 lack `transfer`.
  new ArrayBuffer(KEPT_BYTES).transfer?.(0);
}
