import type { Backend, DeviceArray } from "../backend.ts";
import { bindOperations, type Primitives } from "../primitives.ts";
import { reuseFreedMemory } from "../runtime.ts";
import { Pool } from "./engine/pool.ts";
import { Program, type WasmArray, type Workspace } from "./engine/program.ts";
import type { Variant } from "./engine/variants.ts";
import { operations } from "./operations/operations.ts";

/** Options of {@link openWasm}. */
export interface WasmOptions {
  /** Threads, the calling one included; by default one per core, at most 16. */
  readonly threads?: number;
  /** Takes another build than the best that the engine can run: for tests. */
  readonly variant?: Partial<Variant>;
}

// What the constructor binds.
export interface WasmBackend extends Primitives {}

/** Every primitive in WebAssembly SIMD, on all cores where memory can be shared with workers. */
export class WasmBackend implements Backend {
  readonly kind = "wasm";
  readonly software = false;
  readonly largestArrayBytes: number = 2 ** 31;
  readonly #pool: Pool;
  readonly #workspace: Workspace;
  #program = new Program();
  #running: Promise<unknown> = Promise.resolve();

  /** Use {@link openWasm}. */
  constructor(pool: Pool) {
    this.#pool = pool;
    this.#workspace = {
      floats: (length) => ({ type: "float", length, address: pool.arena.allocate(4 * length) }),
      words: (length) => ({ type: "word", length, address: pool.arena.allocate(4 * length) }),
      record: (operation) => this.#program.record(operation),
    };
    Object.assign(this, bindOperations(operations, this.#workspace));
  }

  /** What runs, in words. */
  get adapter(): string {
    return describe(this.#pool);
  }

  /** Copies values into WebAssembly memory. */
  upload(data: Float32Array | Uint32Array): WasmArray {
    const { arena } = this.#pool;
    // A problem begins with an upload: the workers wake up while the rest is recorded.
    if (this.#program.size === 0) this.#pool.rouse();
    if (data instanceof Uint32Array) {
      const array = this.#workspace.words(data.length);
      arena.words(array.address, data.length).set(data);
      return array;
    }
    const array = this.#workspace.floats(data.length);
    arena.floats(array.address, data.length).set(data);
    return array;
  }

  /** Runs what was recorded and copies the outputs; a second run waits for the first. */
  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    const program = this.#program;
    this.#program = new Program();
    const result = this.#running.then(async () => {
      let results: (Float32Array | Uint32Array)[] | undefined;
      await this.#pool.run(program, signal, () => results = outputs.map(prepareResult));
      results ??= outputs.map(prepareResult);
      results.forEach((values, at) => this.#read(outputs[at] as WasmArray, values));
      return results;
    });
    this.#running = result.catch(() => {});
    return result;
  }

  #read({ address, length }: WasmArray, values: Float32Array | Uint32Array): void {
    const { arena } = this.#pool;
    values.set(values instanceof Uint32Array ? arena.words(address, length) : arena.floats(address, length));
  }

  /** Forgets what was recorded and frees all arrays. */
  reset(): void {
    this.#program = new Program();
    this.#pool.arena.release();
  }

  /** Ends the workers. */
  destroy(): void {
    this.#pool.destroy();
  }
}

/** Values of one page of memory. */
const PAGE_VALUES = 1024;

/**
 * A result array whose pages have been touched. The system clears fresh pages one by one, which for results of some
 * hundred kilobytes can take longer than computing them: the main thread sees to it while the workers begin.
 */
function prepareResult({ type, length }: DeviceArray): Float32Array | Uint32Array {
  const values = type === "word" ? new Uint32Array(length) : new Float32Array(length);
  for (let at = 0; at < length; at += PAGE_VALUES) values[at] = 1;
  return values;
}

function describe({ variant, threads, reason }: Pool): string {
  const count = threads === 1 ? "1 thread" : `${threads} threads`;
  return `WebAssembly ${variant.relaxed ? "relaxed " : ""}SIMD, ${count}${reason ? ` (${reason})` : ""}`;
}

/**
 * Opens the WebAssembly backend: compiles the module that is embedded here. A given number of
 * threads is started at once; by default they start as there is work for them.
 *
 * @throws {RangeError} If `threads` is not a positive integer.
 */
export async function openWasm(options: WasmOptions = {}): Promise<WasmBackend> {
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new RangeError(
      `Cannot open WebAssembly: threads must be a positive integer: current value is ${threads}`,
    );
  }
  reuseFreedMemory();
  return new WasmBackend(await Pool.open(threads, options.variant));
}
