import type { DeviceKind } from "./backend.ts";
import { checkOptionNames } from "./check_options.ts";
import { checkBoolean, checkFunction, checkInteger, checkOneOf, unfitValue } from "./check_values.ts";
import type { OpenDeviceOptions } from "./device.ts";

/** Every kind of device: the compiler keeps the list complete. */
export const deviceKinds: readonly DeviceKind[] = Object.keys(
  { webgpu: true, wasm: true, reference: true } satisfies Record<DeviceKind, true>,
) as DeviceKind[];

const names = Object.keys(
  { prefer: true, gpu: true, threads: true, timed: true, tuning: true, onWarning: true } satisfies Record<
    keyof Required<OpenDeviceOptions>,
    true
  >,
);

const ACTION = "open a device";

/**
 * Checks the options of `openDevice`.
 *
 * @throws {TypeError} If one is unknown or of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkOpenDevice(options: OpenDeviceOptions): void {
  checkOptionNames(ACTION, options, names);
  const { prefer, gpu, threads, timed, tuning, onWarning } = options;
  if (prefer !== undefined) checkOneOf(ACTION, "prefer", prefer, deviceKinds);
  if (gpu !== undefined && typeof (gpu as Partial<GPU> | null)?.requestAdapter !== "function") {
    throw unfitValue(ACTION, "gpu", "a WebGPU implementation such as navigator.gpu", gpu, false);
  }
  if (threads !== undefined) checkInteger(ACTION, "threads", threads, 1);
  if (timed !== undefined) checkBoolean(ACTION, "timed", timed);
  if (tuning !== undefined && (typeof tuning !== "object" || tuning === null || !isTuning(tuning))) {
    throw unfitValue(ACTION, "tuning", "what device.tune() gives, with adapter and tiles", tuning, false);
  }
  if (onWarning !== undefined) checkFunction(ACTION, "onWarning", onWarning);
}

function isTuning({ adapter, tiles }: Partial<Record<"adapter" | "tiles", unknown>>): boolean {
  return typeof adapter === "string" && typeof tiles === "object" && tiles !== null;
}
