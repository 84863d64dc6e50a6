import type { Backend } from "./backend.ts";
import { DeviceAbsentError, DeviceUnavailableError } from "./errors.ts";
import type { OpenDeviceOptions, OpenSettings } from "./open_options.ts";
import { abortable, withPatience } from "./patience.ts";
import { ReferenceBackend } from "./reference/backend.ts";
import { openTested } from "./tested.ts";

/** A way to open one device. */
export interface Opener {
  /** What is opened, in words. */
  readonly name: string;
  /** Whether a call that lost the device is worth another try on a fresh one: where the call is not to blame. */
  readonly again?: boolean;
  /** Opens it; each call of `progress` shows that it has not hung. */
  open(progress: () => void): Promise<Backend>;
}

/** How each kind is opened, best first: a WebGPU adapter emulated on the CPU is slower than WASM. */
export function openersFor(options: OpenDeviceOptions): Opener[] {
  const { gpu, gpuDevice: device, timed, tuning, threads } = options;
  const webgpu = (name: string, software?: boolean): Opener => ({
    name,
    open: async (onProgress) => {
      const { describeAdapter, requestAdapter } = await import("./webgpu/engine/adapter.ts");
      if (software !== undefined) {
        const { name, software: isSoftware } = describeAdapter(await requestAdapter(gpu));
        if (isSoftware !== software) {
          throw new DeviceAbsentError(
            `Cannot open a ${software ? "software" : "hardware"} WebGPU device: the adapter is ${name}`,
          );
        }
      }
      onProgress();
      const { openWebGpu } = await import("./webgpu/backend.ts");
      return openWebGpu({ gpu, device, timed, tuning, onProgress });
    },
  });
  const wasm: Opener = {
    name: "WebAssembly",
    again: true,
    open: async (onProgress) => {
      const { openWasm } = await import("./wasm/backend.ts");
      return openWasm({ threads, onProgress });
    },
  };
  const reference: Opener = {
    name: "the float64 reference",
    open: () => Promise.resolve(new ReferenceBackend()),
  };
  switch (device ? "webgpu" : options.prefer) {
    case "webgpu":
      return [webgpu(device ? "the WebGPU device given" : "a WebGPU device")];
    case "wasm":
      return [wasm];
    case "reference":
      return [reference];
    default:
      return [
        webgpu("a hardware WebGPU device", false),
        wasm,
        webgpu("a software WebGPU device", true),
        reference,
      ];
  }
}

/** A device that is open, and how it came to be that one. */
export interface Opened {
  readonly backend: Backend;
  readonly opener: Opener;
  /** Why better ones were passed over that ought to have worked, or null. */
  readonly passedOver: string | null;
}

/**
 * Opens the first device that works and passes its self test; says why others were passed over.
 *
 * @throws {DeviceUnavailableError} If none does.
 * @throws The reason of the signal, as soon as it is aborted.
 */
export async function openFirst(
  openers: readonly Opener[],
  settings: OpenSettings,
  signal?: AbortSignal,
): Promise<Opened> {
  const failures: DeviceUnavailableError[] = [];
  for (const [at, opener] of openers.entries()) {
    try {
      const backend = await openOne(opener, settings, signal);
      const faults = failures.filter((failure) => !(failure instanceof DeviceAbsentError));
      return { backend, opener, passedOver: faults.map(({ message }) => message).join("; ") || null };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      const failure = asUnavailable(error, opener.name);
      failures.push(failure);
      // What is not there is the normal case; what is there and fails is worth a warning.
      if (at + 1 < openers.length && !(failure instanceof DeviceAbsentError)) {
        settings.warn(`${failure.message}; trying the next device`);
      }
    }
  }
  if (failures.length === 1) throw failures[0];
  throw new DeviceUnavailableError(
    `Cannot open any device: ${failures.map(({ message }) => message).join("; ")}`,
    { cause: failures },
  );
}

async function openOne(
  { name, open }: Opener,
  { patience }: OpenSettings,
  signal?: AbortSignal,
): Promise<Backend> {
  signal?.throwIfAborted();
  let backend: Backend | undefined, givenUp = false;
  try {
    const opening = withPatience(patience, name, async (progress) => {
      const opened = await open(progress);
      // It answered after all, but nobody waits any more.
      if (givenUp) return opened.destroy();
      backend = opened;
      progress();
      backend = await openTested(opened);
    });
    await abortable(opening, signal);
    return backend!;
  } catch (error) {
    givenUp = true;
    backend?.destroy();
    throw error;
  }
}

function asUnavailable(error: unknown, name: string): DeviceUnavailableError {
  if (error instanceof DeviceUnavailableError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DeviceUnavailableError(`Cannot open ${name}: ${message}`, { cause: error });
}
