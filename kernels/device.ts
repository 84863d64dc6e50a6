import type { Backend, DeviceKind } from "./backend.ts";
import { deviceKindsInWords } from "./device_kinds.ts";
import { DeviceLostError, DeviceUnavailableError } from "./errors.ts";
import { ReferenceBackend } from "./reference/backend.ts";
import { openTested } from "./tested.ts";
import { checkTuning, type Tuning } from "./webgpu/tuning.ts";

/** Options of {@link openDevice}. */
export interface OpenDeviceOptions {
  /** The kind to open, and no other. By default the best that passes its self test. */
  prefer?: DeviceKind;
  /** Another WebGPU implementation than `navigator.gpu`, such as Dawn. */
  gpu?: GPU;
  /** Threads of the WASM backend; by default one per core, at most 16. */
  threads?: number;
  /** Has a WebGPU device measure how long it computes, where it can: {@link Device.busySeconds}. */
  timed?: boolean;
  /** What {@link Device.tune} has found on a WebGPU adapter of the same name; that of another adapter is not used. */
  tuning?: Tuning;
  /** Hears why a device was passed over or lost; by default `console.warn`. */
  onWarning?: (message: string) => void;
}

type Opener = { name: string; open: () => Promise<Backend> };

/** How each kind is opened, best first: a WebGPU adapter emulated on the CPU is slower than WASM. */
function openers(options: OpenDeviceOptions): Opener[] {
  const webgpu = (software?: boolean) => async () => {
    const { describeAdapter, requestAdapter } = await import("./webgpu/engine/adapter.ts");
    if (software !== undefined) {
      const { name, software: isSoftware } = describeAdapter(await requestAdapter(options.gpu));
      if (isSoftware !== software) {
        throw new DeviceUnavailableError(
          `Cannot open a ${software ? "software" : "hardware"} WebGPU device: the adapter is ${name}`,
        );
      }
    }
    const { openWebGpu } = await import("./webgpu/backend.ts");
    return openWebGpu({ gpu: options.gpu, timed: options.timed, tuning: options.tuning });
  };
  const wasm = async () => {
    const { openWasm } = await import("./wasm/backend.ts");
    return openWasm({ threads: options.threads });
  };
  const reference = () => Promise.resolve(new ReferenceBackend());
  switch (options.prefer) {
    case undefined:
      return [
        { name: "webgpu", open: webgpu(false) },
        { name: "wasm", open: wasm },
        { name: "software webgpu", open: webgpu(true) },
        { name: "reference", open: reference },
      ];
    case "webgpu":
      return [{ name: "webgpu", open: webgpu() }];
    case "wasm":
      return [{ name: "wasm", open: wasm }];
    case "reference":
      return [{ name: "reference", open: reference }];
    default:
      throw new RangeError(
        `Cannot open a device: prefer must be ${deviceKindsInWords}: current value is ${options.prefer}`,
      );
  }
}

/**
 * Runs a job on a device when all earlier ones have ended, and frees its arrays afterwards. Not for users of the library,
 * for whom there are no backends.
 *
 * @throws {DeviceLostError} If the device was lost and no other could take over.
 * @throws {DeviceUnavailableError} If it computes wrongly and no other could take over.
 */
export let runOn: <T>(device: Device, job: (backend: Backend) => Promise<T>) => Promise<T>;

/**
 * A device that passed its self test. Jobs run one after another. When the device is lost, or computes wrongly in the self
 * test of what a job is the first to use, and was not asked for by name, the next best one takes over, loudly, and the job
 * is run again.
 */
export class Device implements Disposable {
  #backend: Backend;
  #remaining: Opener[];
  #warn: (message: string) => void;
  #tail: Promise<unknown> = Promise.resolve();
  #fellBack: string | null = null;
  #disposed = false;

  static {
    runOn = (device, job) => device.#run(job);
  }

  /** Use {@link openDevice}. */
  constructor(backend: Backend, remaining: Opener[], warn: (message: string) => void) {
    this.#backend = backend;
    this.#remaining = remaining;
    this.#warn = warn;
  }

  /** The kind of device in use now. */
  get kind(): DeviceKind {
    return this.#backend.kind;
  }

  /** What runs, in words. */
  get adapter(): string {
    return this.#backend.adapter;
  }

  /** True for a WebGPU adapter that is emulated on the CPU. */
  get software(): boolean {
    return this.#backend.software;
  }

  /** Seconds that a device opened with `timed` has computed by its own clock, copies apart; undefined where it has none. */
  get busySeconds(): number | undefined {
    return this.#backend.busySeconds;
  }

  /** Why an earlier device was given up after it had been opened, or null. */
  get fellBack(): string | null {
    return this.#fellBack;
  }

  #run<T>(job: (backend: Backend) => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => this.#runNow(job));
    this.#tail = result.catch(() => {});
    return result;
  }

  /**
   * Measures the ways to compute attention of rows of `features` and values of `valueFeatures` numbers on a WebGPU
   * device, keeps the fastest for this device and returns all that it has found, plain JSON for
   * {@link OpenDeviceOptions.tuning}. Compiling them all takes a while where a GPU is emulated on the CPU. Undefined on
   * devices that have only one way.
   *
   * @throws {RangeError} If a width is not a positive integer.
   */
  tune(features: number, valueFeatures: number = features): Promise<Tuning | undefined> {
    for (const [name, width] of Object.entries({ features, valueFeatures })) {
      if (!Number.isInteger(width) || width < 1) {
        return Promise.reject(
          new RangeError(
            `Cannot tune attention: ${name} must be a positive integer: current value is ${width}`,
          ),
        );
      }
    }
    return this.#run(async (backend) => await backend.tune?.(features, valueFeatures));
  }

  async #runNow<T>(job: (backend: Backend) => Promise<T>): Promise<T> {
    while (true) {
      if (this.#disposed) throw new DeviceLostError(`Cannot use the ${this.kind} device: it was disposed`);
      try {
        return await job(this.#backend);
      } catch (error) {
        if (this.#disposed || !isUseless(error) || this.#remaining.length === 0) throw error;
        await this.#replace(error);
      } finally {
        if (!this.#disposed) this.#backend.reset();
      }
    }
  }

  async #replace(reason: Error): Promise<void> {
    const lost = this.#backend, gone = reason instanceof DeviceLostError;
    const next = await openFirst(this.#remaining, this.#warn);
    lost.destroy();
    this.#backend = next.backend;
    this.#remaining = next.remaining;
    this.#fellBack = `${lost.kind} (${lost.adapter}) was ${gone ? "lost" : "given up"}: ${reason.message}`;
    this.#warn(`${this.#fellBack}; going on with ${this.kind} (${this.adapter})`);
  }

  /** Gives the device back; jobs still waiting are refused. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#backend.destroy();
  }
}

/** Whether an error says that nothing can be computed on its device. */
function isUseless(error: unknown): error is Error {
  return error instanceof DeviceLostError || error instanceof DeviceUnavailableError;
}

/**
 * Opens the best device that passes a known-answer self test: a hardware WebGPU adapter, else WebAssembly,
 * else a software WebGPU adapter, else the float64 reference.
 *
 * @example
 * ```ts
 * import { openDevice } from "@kdeformer/kdeformer";
 * using device = await openDevice({ prefer: "reference" });
 * console.log(device.kind); // reference
 * ```
 *
 * @throws {RangeError} If `prefer` is not a kind of device, or `tuning` has tiles that there are not.
 * @throws {DeviceUnavailableError} If no device of the kind asked for works; the message says why.
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  if (options.tuning) checkTuning(options.tuning);
  // A hardware adapter that computes wrongly is worth a warning; one that is not there is the normal case.
  const warn = options.onWarning ?? ((message: string) => console.warn(message));
  const { backend, remaining } = await openFirst(openers(options), warn);
  return new Device(backend, remaining, warn);
}

async function openFirst(
  candidates: Opener[],
  warn: (message: string) => void,
): Promise<{ backend: Backend; remaining: Opener[] }> {
  const failures: unknown[] = [];
  for (const [at, candidate] of candidates.entries()) {
    let backend: Backend | undefined;
    try {
      backend = await candidate.open();
      return { backend: await openTested(backend), remaining: candidates.slice(at + 1) };
    } catch (error) {
      failures.push(error);
      if (backend) warn(`${(error as Error).message}; trying the next device`);
      backend?.destroy();
    }
  }
  if (failures.length === 1) throw failures[0];
  throw new DeviceUnavailableError(
    `Cannot open any device: ${failures.map((error) => (error as Error).message).join("; ")}`,
    { cause: failures },
  );
}
