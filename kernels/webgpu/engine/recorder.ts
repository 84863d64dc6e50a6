import type { DeviceArray } from "../../backend.ts";
import { DeviceLostError } from "../../errors.ts";
import { bindingBytes, type GpuArray, gpuArray } from "./array.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { DeviceClock } from "./device_clock.ts";
import { boundArrays, parameterWords } from "./kernel_interface.ts";
import { PipelineCache, type Specialisation } from "./pipelines.ts";
import { paddedBytes, readBack, stagingBytes } from "./read_back.ts";

/** Most workgroups along one dimension of a dispatch that every WebGPU device takes. */
const LARGEST_DIMENSION = 65535;

/** One dispatch of a kernel. */
export interface Step extends Specialisation {
  /** The kernel's parameters by name, all of them. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Arrays by the names of the kernel's bindings, all of them; `undefined` binds a few bytes that the variant never reads. */
  readonly bindings: Readonly<Record<string, DeviceArray | undefined>>;
  /** Workgroups in all; the kernel reads its own as workgroup.x + workgroup.y * workgroups.x. */
  readonly workgroups: number;
}

/** How a {@link Recorder} uses its device. */
export interface RecorderOptions {
  /** Whether the adapter is emulated on the CPU. */
  readonly software: boolean;
  /** The largest array, in bytes. */
  readonly largestArrayBytes: number;
  /** Whether kernels may use subgroups, for which the device has the feature. */
  readonly subgroups?: boolean;
  /** Measures how long the device computes. */
  readonly clock?: DeviceClock;
}

interface RecordedStep extends Pick<Step, "kernel" | "workgroups"> {
  /** The block of parameters. */
  readonly words: Uint32Array;
  /** In the order of the bindings. */
  readonly arrays: readonly (DeviceArray | undefined)[];
  readonly pipeline: Promise<GPUComputePipeline>;
}

/**
 * Records dispatches and runs them as one submission. Nothing is encoded before `run`, since pipelines
 * compile while the recording goes on, and since `upload` writes before the submission whatever the order
 * of the calls: a buffer therefore serves one array only until it has been given back by `reset`.
 */
export class Recorder {
  readonly device: GPUDevice;
  readonly largestArrayBytes: number;
  /** True for an adapter that is emulated on the CPU, which other shapes of workgroups suit. */
  readonly software: boolean;
  /**
   * Invocations of a workgroup that reduces a row: on the CPU they take turns at every barrier, which costs more than
   * the work that they share. Not fewer, since the loops of one may take no more than 65,535 turns in all there.
   */
  readonly reducingLanes: number;
  readonly #clock: DeviceClock | undefined;
  readonly #pool: BufferPool;
  readonly #pipelines: PipelineCache;
  readonly #empty: GPUBuffer;
  readonly #failActiveRuns = new Set<(error: Error) => void>();
  #steps: RecordedStep[] = [];
  #buffers: GPUBuffer[] = [];
  /** Buffers given back by `reset` while a run that may use them was still waiting for its pipelines. */
  #retired: GPUBuffer[] = [];
  #unsubmitted = 0;
  #lost: DeviceLostError | undefined;
  #failure: Error | undefined;

  constructor(
    device: GPUDevice,
    { software, largestArrayBytes, subgroups = false, clock }: RecorderOptions,
  ) {
    this.device = device;
    this.software = software;
    this.reducingLanes = software ? 64 : 256;
    this.largestArrayBytes = largestArrayBytes;
    this.#clock = clock;
    this.#pool = new BufferPool(device, device.limits.maxBufferSize);
    this.#pipelines = new PipelineCache(device, subgroups);
    this.#empty = this.#pool.take(16, GPUBufferUsage.STORAGE, "empty");
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#failure ??= new Error(`The device reported: ${event.error.message}`);
    });
    device.lost.then(({ reason, message }) => {
      this.#lost ??= new DeviceLostError(`The device was lost (${reason || "unknown"}): ${message}`);
      for (const fail of this.#failActiveRuns) fail(this.#lost);
    });
  }

  /** Copies values into a new array. */
  upload(data: Float32Array | Uint32Array): GpuArray {
    const array = this.array(data instanceof Float32Array ? "float" : "word", data.length, "an upload");
    // Deno aborts the whole process at an empty write.
    if (data.length > 0) this.device.queue.writeBuffer(array.buffer, 0, data as Float32Array<ArrayBuffer>);
    return array;
  }

  /** A new array with arbitrary contents. */
  array(type: DeviceArray["type"], length: number, name: string): GpuArray {
    this.checkSize(length, name);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = this.#pool.take(bindingBytes(length), usage, name);
    this.#buffers.push(buffer);
    return { type, length, buffer };
  }

  /** Refuses an array of 32-bit values that is too large for the device. */
  checkSize(length: number, name: string): void {
    const bytes = bindingBytes(length);
    if (bytes > this.largestArrayBytes) {
      throw new RangeError(
        `Cannot hold ${name} on the device: it takes ${bytes} bytes but the largest array has ${this.largestArrayBytes}`,
      );
    }
  }

  /**
   * Records a dispatch.
   *
   * @throws {TypeError} If the kernel has a parameter or binding that is not given, or not one that is; the message names it.
   */
  dispatch(step: Step): void {
    const { kernel, parameters, bindings, workgroups } = step;
    if (workgroups === 0) return;
    const words = parameterWords(kernel, parameters), arrays = boundArrays(kernel, bindings);
    this.#steps.push({ kernel, workgroups, words, arrays, pipeline: this.#pipelines.pipeline(step) });
  }

  /** Runs what was recorded and reads arrays back. */
  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    return new Promise((resolve, reject) => {
      this.#failActiveRuns.add(reject);
      this.#run(outputs, signal).then(resolve, async (error) => reject(await this.#explain(error)))
        .finally(() => this.#failActiveRuns.delete(reject));
    });
  }

  /** Drops what was recorded and frees every array made since the last reset. */
  reset(): void {
    this.#steps = [];
    this.#retired.push(...this.#buffers);
    this.#buffers = [];
    if (this.#unsubmitted === 0) this.#recycle();
    this.#pool.age();
  }

  /** Frees everything on the device, and the device. */
  destroy(): void {
    this.#steps = [];
    this.#lost ??= new DeviceLostError("The device was destroyed");
    this.#pool.destroy();
    this.device.destroy();
  }

  /** What a failure comes from: a loss explains every other error, but may be reported a turn later than those. */
  async #explain(error: unknown): Promise<unknown> {
    if (!this.#lost) await new Promise((resolve) => setTimeout(resolve));
    return this.#lost ?? error;
  }

  async #run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    const steps = this.#steps;
    this.#steps = [];
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
    this.#unsubmitted++;
    let staging: GPUBuffer, accepted: Promise<void>;
    try {
      const pipelines = await Promise.all(steps.map((step) => step.pipeline));
      signal?.throwIfAborted();
      const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
      staging = this.#pool.take(stagingBytes(outputs), usage, "staging");
      accepted = this.#submit(steps, pipelines, outputs, staging);
    } finally {
      if (--this.#unsubmitted === 0) this.#recycle();
    }
    const reading = readBack(staging, outputs);
    try {
      await Promise.all([reading, accepted]);
      if (this.#failure) throw this.#failure;
    } catch (error) {
      this.#pool.drop(staging);
      const failure = this.#failure ?? error;
      this.#failure = undefined;
      throw failure;
    }
    const { results, released } = await reading;
    released.then(() => this.#pool.give(staging), () => this.#pool.drop(staging));
    signal?.throwIfAborted();
    return results;
  }

  #submit(
    steps: readonly RecordedStep[],
    pipelines: readonly GPUComputePipeline[],
    outputs: readonly DeviceArray[],
    staging: GPUBuffer,
  ): Promise<void> {
    const { device } = this;
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const encoder = device.createCommandEncoder();
    const uniforms = this.#writeParameters(steps);
    if (steps.length > 0) {
      const pass = encoder.beginComputePass(this.#clock?.pass);
      steps.forEach((step, at) => {
        pass.setPipeline(pipelines[at]);
        pass.setBindGroup(0, this.#bindGroup(step, uniforms[at]));
        pass.dispatchWorkgroups(...foldWorkgroups(step.workgroups));
      });
      pass.end();
    }
    let offset = 0;
    for (const { buffer, length } of outputs.map(gpuArray)) {
      if (length > 0) encoder.copyBufferToBuffer(buffer, 0, staging, offset, 4 * length);
      offset += paddedBytes(length);
    }
    const readClock = steps.length > 0 ? this.#clock?.record(encoder) : undefined;
    device.queue.submit([encoder.finish()]);
    if (uniforms.length > 0) this.#pool.give(uniforms[0].buffer);
    return Promise.all([device.popErrorScope(), device.popErrorScope()]).then((errors) => {
      const error = errors.find((found) => found !== null);
      if (error) throw this.#failure ?? new Error(`The device refused the work: ${error.message}`);
      return readClock?.();
    });
  }

  /** Writes the parameters of all steps into one buffer: one call of the queue instead of one a step. */
  #writeParameters(steps: readonly RecordedStep[]): { buffer: GPUBuffer; offset: number; size: number }[] {
    if (steps.length === 0) return [];
    const alignment = this.device.limits.minUniformBufferOffsetAlignment;
    const sizes = steps.map(({ words }) => bindingBytes(words.length));
    const stride = Math.ceil(Math.max(...sizes) / alignment) * alignment;
    const data = new Uint32Array(steps.length * stride / 4);
    steps.forEach(({ words }, at) => data.set(words, at * stride / 4));
    const buffer = this.#pool.take(
      data.byteLength,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      "parameters",
    );
    this.device.queue.writeBuffer(buffer, 0, data);
    return sizes.map((size, at) => ({ buffer, offset: at * stride, size }));
  }

  #bindGroup(step: RecordedStep, uniform: GPUBufferBinding): GPUBindGroup {
    const arrays = step.arrays.map((array): GPUBufferBinding =>
      array
        ? { buffer: gpuArray(array).buffer, size: bindingBytes(array.length) }
        : { buffer: this.#empty, size: 16 }
    );
    return this.device.createBindGroup({
      label: step.kernel.file,
      layout: this.#pipelines.layout(step.kernel),
      entries: [uniform, ...arrays].map((resource, binding) => ({ binding, resource })),
    });
  }

  #recycle(): void {
    for (const buffer of this.#retired) this.#pool.give(buffer);
    this.#retired = [];
  }
}

/** Cuts a number of workgroups into a grid within the limit on each dimension; the kernel skips the surplus. */
export function foldWorkgroups(workgroups: number): [number, number] {
  const rows = Math.ceil(workgroups / LARGEST_DIMENSION);
  return [Math.ceil(workgroups / rows), rows];
}
