import type { Backend, DeviceKind } from "./backend.ts";
import { Device, openDevice, runJob } from "./device.ts";
import { abortable } from "./patience.ts";

/** Devices opened for callers who brought none, by kind; opened once and kept. */
const kept = new Map<DeviceKind | "best", Promise<Device>>();

/** The device that a caller's `device` option stands for; rejects at once when the signal is aborted. */
export function deviceFor(choice?: Device | DeviceKind, signal?: AbortSignal): Promise<Device> {
  if (choice instanceof Device) return Promise.resolve(choice);
  const kind = choice ?? "best";
  let device = kept.get(kind);
  if (!device) {
    device = openDevice({ prefer: choice });
    kept.set(kind, device);
    device.catch(() => kept.get(kind) === device && kept.delete(kind));
  }
  return abortable(device, signal);
}

/** The device that runs a job, as long as that runs. */
export interface RunningOn {
  readonly kind: DeviceKind;
  /** In words; the number of threads may change during the job. */
  readonly adapter: string;
  readonly fellBack: string | null;
  /** When the job was handed over, by `performance.now()`. */
  readonly since: number;
}

/** Runs a job on the device that a caller's `device` option stands for; waiting and opening heed the signal. */
export function runOn<T>(
  choice: Device | DeviceKind | undefined,
  signal: AbortSignal | undefined,
  job: (backend: Backend, on: RunningOn) => Promise<T>,
): Promise<T> {
  const start = (device: Device) => {
    const since = performance.now();
    return runJob(device, async (backend) => {
      // Callbacks of the job may start other jobs, which shall wait, not be refused.
      await undefined;
      const { kind } = backend, { fellBack } = device;
      return job(backend, {
        kind,
        fellBack,
        since,
        get adapter(): string {
          return backend.adapter;
        },
      });
    }, signal);
  };
  // Nothing is waited for before the job is handed over, so that it sees whether it was called from within a job.
  return choice instanceof Device ? start(choice) : deviceFor(choice, signal).then(start);
}

/**
 * Gives back the devices that were opened for calls that brought none of their own; the next such call opens one again.
 * Jobs that run on them or wait are refused.
 */
export async function disposeDevices(): Promise<void> {
  const devices = [...kept.values()];
  kept.clear();
  await Promise.all(devices.map((device) => device.then((open) => open.dispose(), () => {})));
}
