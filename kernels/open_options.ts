import { checkOptionNames } from "./check_options.ts";
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkOneOf,
  checkSignal,
  unfitName,
  unfitValue,
} from "./check_values.ts";
import { type DeviceKind, deviceKinds } from "./device_kinds.ts";
import { checkTuning, type Tuning } from "./webgpu/tuning.ts";

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
const MOST_THREADS = 128;
const TIMEOUT_SECONDS = 15, LONGEST_TIMEOUT_SECONDS = 86400;

/** How devices are opened, whichever they are. */
export interface OpenSettings {
  /** Seconds without progress that are waited. */
  readonly patience: number;
  readonly warn: (message: string) => void;
}

/** Every option: the compiler keeps the list complete. */
const names = Object.keys(
  {
    prefer: true,
    gpu: true,
    gpuDevice: true,
    threads: true,
    timed: true,
    tuning: true,
    timeoutSeconds: true,
    signal: true,
    onWarning: true,
  } satisfies Record<keyof Required<OpenDeviceOptions>, true>,
);

const ACTION = "open a device";

/**
 * Checks options and gives what is the same for all devices.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkOpenOptions(options: OpenDeviceOptions): OpenSettings {
  checkOptionNames(ACTION, options, names);
  const { prefer, gpu, gpuDevice, threads, timed, tuning, signal, onWarning } = options;
  const { timeoutSeconds = TIMEOUT_SECONDS } = options;
  if (prefer !== undefined) checkOneOf(ACTION, "prefer", prefer, deviceKinds);
  if (gpu !== undefined && typeof (gpu as Partial<GPU> | null)?.requestAdapter !== "function") {
    throw unfitValue(ACTION, "gpu", "a WebGPU implementation such as navigator.gpu", gpu, false);
  }
  if (
    gpuDevice !== undefined && typeof (gpuDevice as Partial<GPUDevice> | null)?.createBuffer !== "function"
  ) {
    throw unfitValue(ACTION, "gpuDevice", "a GPUDevice", gpuDevice, false);
  }
  if (gpuDevice && prefer !== undefined && prefer !== "webgpu") {
    throw unfitName(ACTION, "prefer", "webgpu where a gpuDevice is given", prefer);
  }
  checkThreads(threads);
  if (timed !== undefined) checkBoolean(ACTION, "timed", timed);
  checkTimeout(timeoutSeconds);
  if (tuning !== undefined) {
    if (typeof tuning !== "object" || tuning === null || !isTuning(tuning)) {
      throw unfitValue(ACTION, "tuning", "what device.tune() gives, with adapter and tiles", tuning, false);
    }
    checkTuning(tuning);
  }
  if (signal !== undefined) checkSignal(ACTION, "signal", signal);
  if (onWarning !== undefined) checkFunction(ACTION, "onWarning", onWarning);
  return { patience: timeoutSeconds, warn: onWarning ?? ((message) => console.warn(message)) };
}

function checkTimeout(seconds: unknown): void {
  if (typeof seconds === "number" && seconds > 0 && seconds <= LONGEST_TIMEOUT_SECONDS) return;
  const rule = `a number above 0 and at most ${LONGEST_TIMEOUT_SECONDS}`;
  throw unfitValue(ACTION, "timeoutSeconds", rule, seconds, typeof seconds === "number");
}

function isTuning({ adapter, tiles }: Partial<Record<"adapter" | "tiles", unknown>>): boolean {
  return typeof adapter === "string" && typeof tiles === "object" && tiles !== null;
}

/**
 * Checks a number of threads.
 *
 * @throws {RangeError} If it is out of range.
 */
export function checkThreads(threads: number | undefined): void {
  if (threads !== undefined) checkInteger(ACTION, "threads", threads, 1, MOST_THREADS);
}
