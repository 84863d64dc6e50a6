import type { DeviceKind } from "./backend.ts";
import { checkTuning, type Tuning } from "./tuning.ts";

/** Options of `openDevice`. */
export interface OpenDeviceOptions {
  /** The kind to open, and no other. By default the best that passes its self test. */
  prefer?: DeviceKind;
  /** Another WebGPU implementation than `navigator.gpu`, such as Dawn. */
  gpu?: GPU;
  /** A WebGPU device of yours to work on, and no other. It is never destroyed; your own work may go on meanwhile. */
  gpuDevice?: GPUDevice;
  /** Threads of the WASM backend, 1 to 128; by default one per core, at most 16. */
  threads?: number;
  /** Has a WebGPU device measure how long it computes, where it can: `Device.busySeconds`. */
  timed?: boolean;
  /** What `Device.tune` has found on a WebGPU adapter of the same name; that of another adapter is not used. */
  tuning?: Tuning;
  /**
   * Seconds without any progress after which a device that is opened counts as hung and the next one is tried; 15 by default.
   * Time that a driver spends compiling on the calling thread does not count.
   */
  timeoutSeconds?: number;
  /** Stops the opening; the promise then rejects with its reason. */
  signal?: AbortSignal;
  /** Hears why a device was passed over, lost or opened again; by default `console.warn`. */
  onWarning?: (message: string) => void;
}

/** Most threads that may be asked for: each is a worker with an engine of its own. */
export const MOST_THREADS = 128;
const TIMEOUT_SECONDS = 15, LONGEST_TIMEOUT_SECONDS = 86400;

/** How devices are opened, whichever they are. */
export interface OpenSettings {
  /** Seconds without progress that are waited. */
  readonly patience: number;
  readonly warn: (message: string) => void;
}

/**
 * Checks options and gives what is the same for all devices.
 *
 * @throws {TypeError} If the options are no object.
 * @throws {RangeError} If one is out of range.
 */
export function checkOpenOptions(options: OpenDeviceOptions): OpenSettings {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot open a device: options must be an object: current value is ${options}`);
  }
  const { prefer, gpuDevice, threads, tuning, timeoutSeconds = TIMEOUT_SECONDS, onWarning } = options;
  if (prefer !== undefined && !["webgpu", "wasm", "reference"].includes(prefer)) {
    throw unfit("prefer", "be webgpu, wasm or reference", prefer);
  }
  if (gpuDevice && prefer !== undefined && prefer !== "webgpu") {
    throw unfit("prefer", "be webgpu where a gpuDevice is given", prefer);
  }
  checkThreads(threads);
  if (!(timeoutSeconds > 0 && timeoutSeconds <= LONGEST_TIMEOUT_SECONDS)) {
    throw unfit(
      "timeoutSeconds",
      `be more than 0 and at most ${LONGEST_TIMEOUT_SECONDS}`,
      timeoutSeconds,
    );
  }
  if (tuning) checkTuning(tuning);
  return { patience: timeoutSeconds, warn: onWarning ?? ((message) => console.warn(message)) };
}

/**
 * Checks a number of threads.
 *
 * @throws {RangeError} If it is out of range.
 */
export function checkThreads(threads: number | undefined): void {
  if (threads === undefined) return;
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw unfit("threads", `be an integer from 1 to ${MOST_THREADS}`, threads);
  }
}

function unfit(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(`Cannot open a device: ${name} must ${rule}: current value is ${String(value)}`);
}
