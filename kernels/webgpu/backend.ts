import type { AttendArguments, Backend, DeviceArray, PartialAttention } from "../backend.ts";
import type { AttendKernel, AttendTile, Tuning } from "./tuning.ts";
import { bindOperations, type Primitives } from "../primitives.ts";
import { type AdapterDescription, describeAdapter, requestAdapter, requestDevice } from "./engine/adapter.ts";
import { attend } from "./operations/attend.ts";
import { attendRounding } from "./operations/attend_rounding.ts";
import { attendWidths, hasRoom, usualTile, widthsOf } from "./operations/attend_tile.ts";
import { DeviceClock } from "./engine/device_clock.ts";
import type { AttendRounding, RoundingShape } from "../rounding.ts";
import { reuseFreedMemory } from "../runtime.ts";
import { Recorder } from "./engine/recorder.ts";
import { FEWEST_LANES, type SubgroupLanes, subgroupLanes, SUBGROUPS } from "./engine/subgroups.ts";
import { operations } from "./operations/operations.generated.ts";
import { tuneAttend } from "./operations/tune_attend.ts";

/** Options of {@link openWebGpu}. */
export interface WebGpuOptions {
  /** Another WebGPU implementation than `navigator.gpu`, such as Dawn from the npm package `webgpu`. */
  readonly gpu?: GPU;
  /** The device to work on, which is not destroyed, in place of one that is opened. */
  readonly device?: GPUDevice;
  /** Hears of each kernel that is compiled and of each result that has come. */
  readonly onProgress?: () => void;
  /** Lowers the largest array, in bytes, for instance to see how larger problems are split. */
  readonly largestArrayBytes?: number;
  /** The kernel behind `attend`; by default the one made for the kind of adapter. */
  readonly attendKernel?: AttendKernel;
  /** What {@link WebGpuBackend.tune} has found on an adapter of this name; that of another one is not used. */
  readonly tuning?: Tuning;
  /** Measures how long the device computes, where it can: {@link WebGpuBackend.busySeconds}. */
  readonly timed?: boolean;
  /** Whether kernels may use subgroups; by default where the device has the feature and they do what is expected. */
  readonly subgroups?: boolean;
}

/** Options of a device that has been looked at. */
export interface WebGpuBackendOptions extends WebGpuOptions {
  /** Lanes of its subgroups, where kernels may use these; by default the fewest that WebGPU knows. */
  readonly subgroupLanes?: SubgroupLanes;
}

/** Opens the WebGPU device of this machine; rejects with DeviceUnavailableError where there is none. */
export async function openWebGpu(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
  reuseFreedMemory();
  const { device, description } = options.device ? describeDevice(options.device) : await ownDevice(options);
  options.onProgress?.();
  const lanes = options.subgroups !== false && device.features.has(SUBGROUPS)
    ? await subgroupLanes(device)
    : undefined;
  options.onProgress?.();
  const subgroups = lanes !== undefined;
  return new WebGpuBackend(device, description, { ...options, subgroups, subgroupLanes: lanes });
}

/** A device and the adapter behind it. */
interface DescribedDevice {
  readonly device: GPUDevice;
  readonly description: AdapterDescription;
}

async function ownDevice({ gpu, timed, subgroups, onProgress }: WebGpuOptions): Promise<DescribedDevice> {
  const adapter = await requestAdapter(gpu);
  onProgress?.();
  const wanted: GPUFeatureName[] = timed ? ["timestamp-query"] : [];
  if (subgroups !== false) wanted.push(SUBGROUPS);
  const device = await requestDevice(adapter, wanted.filter((feature) => adapter.features.has(feature)));
  return { device, description: describeAdapter(adapter) };
}

function describeDevice(device: GPUDevice): DescribedDevice {
  const { features, limits } = device;
  // Engines of before 2025 do not say which adapter a device belongs to.
  const { adapterInfo: info = { description: "a device of the caller's" } } = device as {
    adapterInfo?: GPUAdapterInfo;
  };
  return { device, description: describeAdapter({ info: info as GPUAdapterInfo, features, limits }) };
}

// What the constructor binds.
export interface WebGpuBackend extends Omit<Primitives, "attend"> {}

/** Every primitive as WGSL kernels; everything between two calls of `run` is one submission. */
export class WebGpuBackend implements Backend {
  readonly kind = "webgpu";
  readonly adapter: string;
  readonly software: boolean;
  readonly largestArrayBytes: number;
  readonly #recorder: Recorder;
  readonly #clock: DeviceClock | undefined;
  readonly #attendKernel: AttendKernel;
  /** None where kernels may not use subgroups. */
  readonly #subgroupLanes: SubgroupLanes;
  #tiles: Readonly<Record<string, AttendTile>>;

  constructor(device: GPUDevice, description: AdapterDescription, options: WebGpuBackendOptions) {
    this.adapter = description.name;
    this.software = description.software;
    this.largestArrayBytes = Math.min(
      device.limits.maxStorageBufferBindingSize,
      device.limits.maxBufferSize,
      options.largestArrayBytes ?? Infinity,
    );
    this.#attendKernel = options.attendKernel ?? (description.software ? "registers" : "subgroups");
    const lanes = options.subgroups ? FEWEST_LANES : 0;
    this.#subgroupLanes = options.subgroupLanes ?? { fewest: lanes, usual: lanes };
    this.#tiles = options.tuning?.adapter === this.adapter ? options.tuning.tiles : {};
    this.#clock = options.timed && device.features.has("timestamp-query")
      ? new DeviceClock(device)
      : undefined;
    const { software, largestArrayBytes } = this, { subgroups, onProgress } = options;
    const foreign = options.device !== undefined, clock = this.#clock;
    this.#recorder = new Recorder(device, {
      software,
      largestArrayBytes,
      subgroups,
      clock,
      foreign,
      onProgress,
    });
    Object.assign(this, bindOperations(operations, this.#recorder));
  }

  /** Seconds that the device has computed, copies apart; undefined where it does not measure them. */
  get busySeconds(): number | undefined {
    return this.#clock?.seconds;
  }

  upload(data: Float32Array | Uint32Array): DeviceArray {
    return this.#recorder.upload(data);
  }

  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    return this.#recorder.run(outputs, signal);
  }

  /** Why it cannot be used any more, or null. */
  get lost(): string | null {
    return this.#recorder.lost;
  }

  reset(): void {
    this.#recorder.reset();
  }

  trim(idle: boolean): void {
    if (idle) this.#recorder.trim();
  }

  destroy(): void {
    this.#recorder.destroy();
  }

  async tune(features: number, valueFeatures: number): Promise<Tuning> {
    const name = widthsOf(attendWidths(features, valueFeatures));
    if (!this.#tiles[name]) {
      const attendWith = (tile: AttendTile, args: AttendArguments) => attend(this.#recorder, tile, args);
      const known = { usual: this.#attendKernel, subgroupLanes: this.#subgroupLanes };
      const tile = await tuneAttend(this.#recorder, attendWith, known, features, valueFeatures);
      this.#tiles = { ...this.#tiles, [name]: tile };
    }
    return { adapter: this.adapter, tiles: this.#tiles };
  }

  attend(args: AttendArguments): PartialAttention {
    const widths = attendWidths(args.features, args.valueFeatures), { limits } = this.#recorder.device;
    const known = this.#tiles[widthsOf(widths)];
    const lanes = this.#subgroupLanes;
    const tile = known && hasRoom(known, widths, limits, lanes.fewest)
      ? known
      : usualTile(this.#attendKernel, widths, limits.maxComputeWorkgroupStorageSize, lanes);
    return attend(this.#recorder, tile, args);
  }

  attendRounding(shape: RoundingShape): AttendRounding {
    return attendRounding(shape);
  }
}
