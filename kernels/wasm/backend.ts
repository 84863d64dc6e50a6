import type { Backend, DeviceArray } from "../backend.ts";
import { DeviceUnavailableError } from "../errors.ts";
import { checkThreads } from "../open_options.ts";
import { bindOperations, type Primitives } from "../primitives.ts";
import type { AttendRounding, RoundingShape } from "../rounding.ts";
import { attendRounding } from "./operations/attend_rounding.ts";
import { reuseFreedMemory } from "../runtime.ts";
import { Pool } from "./engine/pool.ts";
import { Program, type WasmArray, type Workspace } from "./engine/program.ts";
import type { Variant } from "./engine/variants.ts";
import { operations } from "./operations/operations.generated.ts";

/** Options of {@link openWasm}. */
export interface WasmOptions {
  /** Threads, the calling one included; by default one per core, at most 16. */
  readonly threads?: number;
  /** Takes another build than the best that the engine can run: for tests. */
  readonly variant?: Partial<Variant>;
  /** Hears of each worker that has started. */
  readonly onProgress?: () => void;
}

// What the constructor binds.
export interface WasmBackend extends Primitives {}

/** Every primitive in WebAssembly SIMD, on all cores where memory can be shared with workers. */
export class WasmBackend implements Backend {
  readonly kind = "wasm";
  readonly software = false;
  #pool: Pool;
  readonly #workspace: Workspace;
  #program = new Program();
  /** The run in progress, if there is one. */
  #running: Promise<unknown> | undefined;
  /** The most bytes that each of the last calls needed. */
  readonly #needed: number[] = [];

  /** Use {@link openWasm}. */
  constructor(pool: Pool) {
    this.#pool = pool;
    this.#workspace = {
      floats: (length) => ({ type: "float", length, address: this.#pool.arena.allocate(4 * length) }),
      words: (length) => ({ type: "word", length, address: this.#pool.arena.allocate(4 * length) }),
      record: (operation) => this.#program.record(operation),
    };
    Object.assign(this, bindOperations(operations, this.#workspace));
  }

  /** What runs, in words. */
  get adapter(): string {
    return describe(this.#pool);
  }

  /** All the memory that there is. */
  get memoryBytes(): number {
    return this.#pool.arena.limit;
  }

  /** Keys, values and the copies that kernels read take four arrays. */
  get largestArrayBytes(): number {
    return this.memoryBytes / 4;
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

  /**
   * Runs what was recorded and copies the outputs; a second run waits for the first. The workers begin at once: what the caller does
   * before it waits goes on beside them.
   */
  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    const program = this.#program;
    this.#program = new Program();
    const execute = async () => {
      let results: (Float32Array | Uint32Array)[] | undefined;
      await this.#pool.run(program, signal, () => results = outputs.map(prepareResult));
      results ??= outputs.map(prepareResult);
      results.forEach((values, at) => this.#read(outputs[at] as WasmArray, values));
      return results;
    };
    const result = this.#running ? this.#running.then(execute) : execute();
    const running = result.catch(() => {}).then(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
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

  /** Gives back memory that large calls have left. */
  trim(idle: boolean): void {
    this.#needed.push(this.#pool.arena.takeMost());
    if (this.#needed.length > CALLS_REMEMBERED) this.#needed.shift();
    else if (!idle) return;
    this.#pool = this.#pool.trimmed(idle ? 0 : Math.max(...this.#needed));
  }

  /** Why it cannot be used any more, or null. */
  get lost(): string | null {
    return this.#pool.lost;
  }

  /** Ends the workers. */
  destroy(): void {
    this.#pool.destroy();
  }

  /** See {@link Backend.attendRounding}. */
  attendRounding(shape: RoundingShape): AttendRounding {
    return attendRounding(shape);
  }
}

/** Calls after which memory that has not been needed since is given back. */
const CALLS_REMEMBERED = 4;

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
 * @throws {RangeError} If `threads` is out of range.
 * @throws {DeviceUnavailableError} If the engine cannot compile the module.
 */
export async function openWasm(options: WasmOptions = {}): Promise<WasmBackend> {
  const { threads, variant, onProgress } = options;
  checkThreads(threads);
  if (typeof WebAssembly === "undefined") {
    throw new DeviceUnavailableError("Cannot open WebAssembly: this runtime has none");
  }
  reuseFreedMemory();
  return new WasmBackend(await Pool.open(threads, variant, onProgress));
}
