import type { AttendArguments, Backend, DeviceArray, PartialAttention } from "../backend.ts";
import type { Bisection, FittedCentre, FittedPoints, FittedSlope } from "../coreset_primitives.ts";
import { attend } from "./operations/attend.ts";
import { bisectRows } from "./operations/bisect_rows.ts";
import { calibrateValues } from "./operations/calibrate_values.ts";
import { fitCentre } from "./operations/fit_centre.ts";
import { fitPoints } from "./operations/fit_points.ts";
import { addLinear } from "./operations/add_linear.ts";
import { fitSlope } from "./operations/fit_slope.ts";
import { gatheredDistances } from "./operations/gathered_distances.ts";
import { innerProducts } from "./operations/inner_products.ts";
import { angularHash } from "./operations/angular_hash.ts";
import { pairBuckets } from "./operations/pair_buckets.ts";
import { sortByBucket } from "./operations/sort_by_bucket.ts";
import { reuseFreedMemory } from "../runtime.ts";
import { Pool } from "./engine/pool.ts";
import { Program, type Recorder, type WasmArray } from "./engine/program.ts";
import { centreRows } from "./operations/centre_rows.ts";
import { columnMean } from "./operations/column_mean.ts";
import { gatherRows } from "./operations/gather_rows.ts";
import { mergeAttention } from "./operations/merge_attention.ts";
import { sketchRows } from "./operations/sketch_rows.ts";
import { keyImportance } from "./operations/key_importance.ts";
import { sampleKeys } from "./operations/sample_keys.ts";
import { attendProbes } from "./operations/attend_probes.ts";
import { softmaxRows } from "./operations/softmax_rows.ts";
import type { Variant } from "./engine/variants.ts";

/** Options of {@link openWasm}. */
export interface WasmOptions {
  /** Threads, the calling one included; by default one per core, at most 16. */
  readonly threads?: number;
  /** Takes another build than the best that the engine can run: for tests. */
  readonly variant?: Partial<Variant>;
}

type Arguments<Name extends keyof Backend> = Backend[Name] extends (args: infer A) => unknown ? A : never;

/** Every primitive in WebAssembly SIMD, on all cores where memory can be shared with workers. */
export class WasmBackend implements Backend {
  readonly kind = "wasm";
  readonly software = false;
  readonly largestArrayBytes: number = 2 ** 31;
  readonly #pool: Pool;
  readonly #recorder: Recorder;
  #program = new Program();
  #running: Promise<unknown> = Promise.resolve();

  /** Use {@link openWasm}. */
  constructor(pool: Pool) {
    this.#pool = pool;
    this.#recorder = {
      floats: (length) => ({ type: "float", length, address: pool.arena.allocate(4 * length) }),
      words: (length) => ({ type: "word", length, address: pool.arena.allocate(4 * length) }),
      record: (operation) => this.#program.record(operation),
    };
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
      const array = this.#recorder.words(data.length);
      arena.words(array.address, data.length).set(data);
      return array;
    }
    const array = this.#recorder.floats(data.length);
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

  /** See {@link Backend.attend}. */
  attend(args: AttendArguments): PartialAttention {
    return attend(this.#recorder, args);
  }

  /** See {@link Backend.softmaxRows}. */
  softmaxRows(args: Arguments<"softmaxRows">): DeviceArray {
    return softmaxRows(this.#recorder, args);
  }

  /** See {@link Backend.attendProbes}. */
  attendProbes(args: Arguments<"attendProbes">): PartialAttention & { probabilities: DeviceArray } {
    return attendProbes(this.#recorder, args);
  }

  /** See {@link Backend.columnMean}. */
  columnMean(args: Arguments<"columnMean">): DeviceArray {
    return columnMean(this.#recorder, args);
  }

  /** See {@link Backend.centreRows}. */
  centreRows(args: Arguments<"centreRows">): DeviceArray {
    return centreRows(this.#recorder, args);
  }

  /** See {@link Backend.gatherRows}. */
  gatherRows(args: Arguments<"gatherRows">): DeviceArray {
    return gatherRows(this.#recorder, args);
  }

  /** See {@link Backend.sketchRows}. */
  sketchRows(args: Arguments<"sketchRows">): DeviceArray {
    return sketchRows(this.#recorder, args);
  }

  /** See {@link Backend.angularHash}. */
  angularHash(args: Arguments<"angularHash">): DeviceArray {
    return angularHash(this.#recorder, args);
  }

  /** See {@link Backend.sortByBucket}. */
  sortByBucket(args: Arguments<"sortByBucket">): { order: DeviceArray; position: DeviceArray } {
    return sortByBucket(this.#recorder, args);
  }

  /** See {@link Backend.pairBuckets}. */
  pairBuckets(args: Arguments<"pairBuckets">): DeviceArray {
    return pairBuckets(this.#recorder, args);
  }

  /** See {@link Backend.keyImportance}. */
  keyImportance(args: Arguments<"keyImportance">): DeviceArray {
    return keyImportance(this.#recorder, args);
  }

  /** See {@link Backend.sampleKeys}. */
  sampleKeys(args: Arguments<"sampleKeys">): { index: DeviceArray; logWeight: DeviceArray } {
    return sampleKeys(this.#recorder, args);
  }

  /** See {@link Backend.innerProducts}. */
  innerProducts(args: Arguments<"innerProducts">): DeviceArray {
    return innerProducts(this.#recorder, args);
  }

  /** See {@link Backend.gatheredDistances}. */
  gatheredDistances(args: Arguments<"gatheredDistances">): DeviceArray {
    return gatheredDistances(this.#recorder, args);
  }

  /** See {@link Backend.bisectRows}. */
  bisectRows(args: Arguments<"bisectRows">): Bisection {
    return bisectRows(this.#recorder, args);
  }

  /** See {@link Backend.fitPoints}. */
  fitPoints(args: Arguments<"fitPoints">): FittedPoints {
    return fitPoints(this.#recorder, args);
  }

  /** See {@link Backend.fitCentre}. */
  fitCentre(args: Arguments<"fitCentre">): FittedCentre {
    return fitCentre(this.#recorder, args);
  }

  /** See {@link Backend.fitSlope}. */
  fitSlope(args: Arguments<"fitSlope">): FittedSlope {
    return fitSlope(this.#recorder, args);
  }

  /** See {@link Backend.addLinear}. */
  addLinear(args: Arguments<"addLinear">): DeviceArray {
    return addLinear(this.#recorder, args);
  }

  /** See {@link Backend.calibrateValues}. */
  calibrateValues(args: Arguments<"calibrateValues">): DeviceArray {
    return calibrateValues(this.#recorder, args);
  }

  /** See {@link Backend.mergeAttention}. */
  mergeAttention(args: Arguments<"mergeAttention">): PartialAttention {
    return mergeAttention(this.#recorder, args);
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
