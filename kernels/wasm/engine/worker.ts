/** What a worker is given. */
export interface WorkerData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** 1 for the first worker; the main thread is 0. */
  readonly thread: number;
}

/**
 * The whole program of a worker. Its text is sent to the thread, so that nothing has to be fetched or read when
 * this module was imported by URL; hence it may use nothing from outside.
 */
function runWorker(): void {
  // deno-lint-ignore no-explicit-any
  const scope = globalThis as any;
  const begin = ({ module, memory, thread }: WorkerData, ready: () => void) => {
    const instance = new WebAssembly.Instance(module, { env: { memory }, host: { now: () => 0 } });
    ready();
    (instance.exports.serve as (thread: number) => void)(thread);
  };
  const node = scope.process?.getBuiltinModule?.("node:worker_threads");
  if (node?.parentPort) {
    begin(node.workerData, () => node.parentPort.postMessage(null));
  } else {
    scope.onmessage = (event: MessageEvent<WorkerData>) => {
      begin(event.data, () => scope.postMessage(null));
      scope.close();
    };
  }
}

/** JavaScript source of a worker that serves tasks until it is told to stop. */
export function workerSource(): string {
  return `(${runWorker})()`;
}
