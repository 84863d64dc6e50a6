import type { Backend, DeviceKind } from "./backend.ts";
import { unfitValue } from "./check_values.ts";
import { DeviceLostError, DeviceUnavailableError } from "./errors.ts";
import { checkOpenOptions, type OpenDeviceOptions, type OpenSettings } from "./open_options.ts";
import { type Opened, type Opener, openersFor, openFirst } from "./openers.ts";
import { abortable } from "./patience.ts";
import { afterIdle } from "./runtime.ts";
import type { Tuning } from "./webgpu/tuning.ts";

export type { OpenDeviceOptions } from "./open_options.ts";

/** Times that a device is opened again after a loss while another one does its work. */
const MOST_LOSSES = 3;
/** Milliseconds without a job after which memory that only large jobs need is given back. */
const IDLE_MS = 5000;

/**
 * Runs a job on a device when all earlier ones have ended, and frees its arrays afterwards. Not for users of the library,
 * for whom there are no backends.
 *
 * @param signal Rejects with its reason as soon as it is aborted, while the job waits as well; a job that has begun
 * must heed it by itself.
 * @throws {DeviceLostError} If the device was lost and no other could take over.
 * @throws {DeviceUnavailableError} If the device had been lost and cannot be opened again, or computes wrongly.
 * @throws {Error} If called from within a job before that first waits, since the job would wait for itself.
 */
export let runJob: <T>(
  device: Device,
  job: (backend: Backend) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T>;

/**
 * A device that passed its self test. Jobs run one after another. A device that was lost is opened again at the next
 * job. The job that lost it rejects if the device was asked for by name; else the next best one runs it again, loudly, and
 * so it does if the device computes wrongly in the self test of what a job is the first to use.
 */
export class Device implements Disposable, AsyncDisposable {
  readonly #openers: readonly Opener[];
  readonly #settings: OpenSettings;
  readonly #losses = new Map<Opener, number>();
  /** Undefined from a loss until the next job, and after the disposal. */
  #backend: Backend | undefined;
  #opener: Opener;
  /** The one that was opened first: any behind it is a fallback. */
  readonly #best: Opener;
  readonly #passedOver: string | null;
  /** The last loss, in words. */
  #loss = "";
  /** What is said of a device, while there is none as well. */
  #kind: DeviceKind;
  #adapter: string;
  #software: boolean;
  #fellBack: string | null;
  #busyBefore = 0;
  #tail: Promise<unknown> = Promise.resolve();
  /** True while the part of a job runs that comes before its first wait. */
  #entering = false;
  #cancelIdle: () => void = () => {};
  #disposed = false;

  static {
    runJob = (device, job, signal) => device.#run(job, signal);
  }

  /** Use {@link openDevice}. */
  constructor(
    { backend, opener, passedOver }: Opened,
    openers: readonly Opener[],
    settings: OpenSettings,
  ) {
    this.#openers = openers;
    this.#settings = settings;
    this.#backend = backend;
    this.#opener = opener;
    this.#best = opener;
    this.#passedOver = passedOver;
    this.#kind = backend.kind;
    this.#adapter = backend.adapter;
    this.#software = backend.software;
    this.#fellBack = passedOver;
  }

  /** The kind of device in use now. */
  get kind(): DeviceKind {
    return this.#kind;
  }

  /** What runs, in words. */
  get adapter(): string {
    return this.#backend?.adapter ?? this.#adapter;
  }

  /** True for a WebGPU adapter that is emulated on the CPU. */
  get software(): boolean {
    return this.#software;
  }

  /** Seconds that a device opened with `timed` has computed by its own clock, copies apart; undefined where it has none. */
  get busySeconds(): number | undefined {
    const seconds = this.#backend?.busySeconds;
    return seconds === undefined ? undefined : this.#busyBefore + seconds;
  }

  /** Why a better device was passed over, or given up after it had been opened, or null. */
  get fellBack(): string | null {
    return this.#fellBack;
  }

  #run<T>(job: (backend: Backend) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#entering) {
      return Promise.reject(
        new Error("Cannot run a job inside a job of the same device: it would wait for itself for ever"),
      );
    }
    const result = this.#tail.then(() => {
      signal?.throwIfAborted();
      return this.#runNow(job, signal);
    });
    this.#tail = result.catch(() => {});
    return abortable(result, signal);
  }

  /**
   * Measures the ways to compute attention of rows of `features` and values of `valueFeatures` numbers on a WebGPU
   * device, keeps the fastest for this device and returns all that it has found, plain JSON for
   * {@link OpenDeviceOptions.tuning}. Compiling them all takes a while where a GPU is emulated on the CPU. Undefined on
   * devices that have only one way.
   *
   * @throws {TypeError} If a width is not a number.
   * @throws {RangeError} If it is not a positive integer.
   */
  tune(features: number, valueFeatures: number = features): Promise<Tuning | undefined> {
    for (const [name, width] of Object.entries({ features, valueFeatures })) {
      if (!Number.isSafeInteger(width) || width < 1) {
        return Promise.reject(
          unfitValue("tune attention", name, "a positive integer", width, typeof width === "number"),
        );
      }
    }
    return this.#run(async (backend) => await backend.tune?.(features, valueFeatures));
  }

  async #runNow<T>(job: (backend: Backend) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#cancelIdle();
    const tried = new Set<Opener>();
    try {
      for (let backend = await this.#ready(signal);; backend = this.#backend!) {
        try {
          return await this.#enter(job, backend);
        } catch (error) {
          this.#throwIfDisposed();
          if (!isUseless(error)) throw error;
          const next = this.#lose(error, tried);
          if (next.length === 0) throw error;
          this.#adopt(await openFirst(next, this.#settings, signal), "going on with");
        } finally {
          if (backend === this.#backend) {
            backend.reset();
            backend.trim?.(false);
          }
        }
      }
    } finally {
      if (!this.#disposed) this.#cancelIdle = afterIdle(IDLE_MS, () => this.#backend?.trim?.(true));
    }
  }

  #enter<T>(job: (backend: Backend) => Promise<T>, backend: Backend): Promise<T> {
    this.#entering = true;
    try {
      return job(backend);
    } finally {
      this.#entering = false;
    }
  }

  /** The backend for the next job: opened again if it was lost. */
  async #ready(signal?: AbortSignal): Promise<Backend> {
    this.#throwIfDisposed();
    if (this.#backend?.lost) this.#lose(new DeviceLostError(this.#backend.lost));
    if (!this.#backend) {
      const worth = this.#openers.filter((opener) => this.#isWorthwhile(opener));
      this.#adopt(await openFirst(worth, this.#settings, signal), "opened again:");
    } else {
      await this.#returnToBetter(signal);
    }
    return this.#backend!;
  }

  /** Leaves the device that took over for the one that had been lost, if that can be opened again. */
  async #returnToBetter(signal?: AbortSignal): Promise<void> {
    const better = this.#openers.slice(0, this.#openers.indexOf(this.#opener)).filter((opener) =>
      this.#losses.has(opener) && this.#isWorthwhile(opener)
    );
    if (better.length === 0) return;
    let opened: Opened;
    try {
      opened = await openFirst(better, this.#settings, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      for (const opener of better) this.#losses.set(opener, MOST_LOSSES);
      return;
    }
    this.#adopt(opened, "opened again:");
  }

  #isWorthwhile(opener: Opener): boolean {
    return this.#openers.length === 1 || (this.#losses.get(opener) ?? 0) < MOST_LOSSES;
  }

  /** Gives the lost backend up; returns what may run the job that lost it. */
  #lose(reason: Error, tried = new Set<Opener>()): Opener[] {
    const lost = this.#opener, at = this.#openers.indexOf(lost), isGone = reason instanceof DeviceLostError;
    // What computes wrongly once is not tried again.
    this.#losses.set(lost, isGone ? (this.#losses.get(lost) ?? 0) + 1 : MOST_LOSSES);
    this.#busyBefore += this.#backend?.busySeconds ?? 0;
    this.#backend?.destroy();
    this.#backend = undefined;
    this.#loss = `${this.#kind} (${this.#adapter}) was ${isGone ? "lost" : "given up"}: ${reason.message}`;
    if (this.#openers.length === 1) return [];
    const again = isGone && lost.again && !tried.has(lost);
    tried.add(lost);
    return this.#openers.slice(again ? at : at + 1);
  }

  #adopt({ backend, opener }: Opened, how: string): void {
    if (this.#disposed) backend.destroy();
    this.#throwIfDisposed();
    this.#backend?.destroy();
    this.#backend = backend;
    this.#opener = opener;
    this.#kind = backend.kind;
    this.#adapter = backend.adapter;
    this.#software = backend.software;
    const isFallback = this.#openers.indexOf(opener) > this.#openers.indexOf(this.#best);
    this.#fellBack = isFallback ? this.#loss : this.#passedOver;
    this.#settings.warn(`${this.#loss}; ${how} ${this.kind} (${this.adapter})`);
  }

  #throwIfDisposed(): void {
    if (this.#disposed) throw new DeviceLostError(`Cannot use the ${this.kind} device: it was disposed`);
  }

  /** Gives the device back at once; a running job and those still waiting are refused. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#cancelIdle();
    this.#backend?.destroy();
    this.#backend = undefined;
  }

  /** Gives the device back, and waits until the job that ran has ended. */
  async dispose(): Promise<void> {
    this[Symbol.dispose]();
    await this.#tail;
  }

  /** The same as {@link Device.dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Whether an error says that nothing can be computed on its device. */
function isUseless(error: unknown): error is Error {
  return error instanceof DeviceLostError || error instanceof DeviceUnavailableError;
}

/**
 * Opens the best device that passes a known-answer self test: a hardware WebGPU adapter, else WebAssembly,
 * else a software WebGPU adapter, else the float64 reference. A device that fails or hangs is said and passed over.
 *
 * @example
 * ```ts
 * import { openDevice } from "@kdeformer/kdeformer";
 * using device = await openDevice({ prefer: "reference" });
 * console.log(device.kind); // reference
 * ```
 *
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {RangeError} If an option is out of range.
 * @throws {DeviceUnavailableError} If no device of the kind asked for works; the message says why.
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const settings = checkOpenOptions(options);
  return await openAmong(openersFor(options), settings, options.signal);
}

/** Opens the first of some devices that works, with the others to fall back to. */
export async function openAmong(
  openers: readonly Opener[],
  settings: OpenSettings,
  signal?: AbortSignal,
): Promise<Device> {
  return new Device(await openFirst(openers, settings, signal), openers, settings);
}
