import type { DeviceArray } from "../../backend.ts";
import { DeviceLostError } from "../../errors.ts";
import { bindingBytes, type GpuArray, gpuArray } from "./array.ts";
import { BufferPool } from "./buffer_pool.ts";
import type { DeviceClock } from "./device_clock.ts";
import { Turns } from "../../runtime.ts";
import { firstError, inScopes, refusal } from "./error_scopes.ts";
import { PipelineCache, type Specialisation } from "./pipelines.ts";
import { boundArrays, parameterWords } from "./kernel_interface.ts";
import { paddedBytes, readBack, stagingBytes } from "./read_back.ts";
import { cutDispatch, type Sliceable, sliced, waitsWithinCalls } from "./slices.ts";

/** Most workgroups along one dimension of a dispatch that every WebGPU device takes. */
const LARGEST_DIMENSION = 65535;

/** One dispatch of a kernel. */
export interface Step extends Specialisation, Sliceable {
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
  /** Whether the device is the caller's, who goes on with it: it is not destroyed, and its other errors are not ours. */
  readonly foreign?: boolean;
  /** Hears of each pipeline that is there and of each result that has come. */
  readonly onProgress?: () => void;
}

interface RecordedStep extends Pick<Step, "kernel" | "workgroups" | "work"> {
  /** The block of parameters. */
  readonly words: Uint32Array;
  /** In the order of the bindings. */
  readonly arrays: readonly (DeviceArray | undefined)[];
  readonly pipeline: Promise<GPUComputePipeline>;
}

interface CompiledStep extends Omit<RecordedStep, "pipeline"> {
  readonly pipeline: GPUComputePipeline;
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
  /**
   * Values that an invocation loads before it uses the first of them, since compilers for GPUs keep the order of a source and wait for
   * each load that is used at once; on the CPU nothing waits.
   */
  readonly loadsAhead: number;
  readonly #clock: DeviceClock | undefined;
  readonly #pool: BufferPool;
  readonly #pipelines: PipelineCache;
  readonly #empty: GPUBuffer;
  readonly #foreign: boolean;
  /** Whether work is submitted in slices. */
  readonly #slices: boolean;
  readonly #turns = new Turns();
  /** Settles when all that was run before is submitted. */
  #submitted: Promise<void> = Promise.resolve();
  readonly #onProgress: () => void;
  readonly #failActiveRuns = new Set<(error: Error) => void>();
  /** What the device says of buffers and uploads of the recording. */
  #checks: Promise<GPUError | null>[] = [];
  #steps: RecordedStep[] = [];
  #buffers: GPUBuffer[] = [];
  /** Buffers given back by `reset` while a run that may use them was still waiting for its pipelines. */
  #retired: GPUBuffer[] = [];
  #unsubmitted = 0;
  #lost: DeviceLostError | undefined;

  constructor(
    device: GPUDevice,
    { software, largestArrayBytes, subgroups = false, clock, foreign = false, onProgress = () => {} }:
      RecorderOptions,
  ) {
    this.device = device;
    this.software = software;
    this.reducingLanes = software ? 64 : 256;
    this.loadsAhead = software ? 1 : 8;
    this.largestArrayBytes = largestArrayBytes;
    this.#clock = clock;
    this.#foreign = foreign;
    this.#slices = software && waitsWithinCalls();
    this.#onProgress = onProgress;
    this.#pool = new BufferPool(device, device.limits.maxBufferSize, (check) => this.#expect(check));
    this.#pipelines = new PipelineCache(device, subgroups);
    this.#empty = this.#pool.take(16, GPUBufferUsage.STORAGE, "empty");
    if (!foreign) device.addEventListener("uncapturederror", this.#hearError);
    device.lost.then(({ reason, message }) =>
      this.#lose(`The device was lost (${reason || "unknown"}): ${message}`)
    );
  }

  /** Why the device cannot be used any more, or null. */
  get lost(): string | null {
    return this.#lost?.message ?? null;
  }

  /**
   * All that is asked of the device is within error scopes, whose errors reject the run that they belong to. What escapes them,
   * on devices that do not heed scopes, can only be laid to the runs that are under way.
   */
  readonly #hearError = (event: Event & { readonly error?: GPUError }): void => {
    event.preventDefault();
    for (const fail of this.#failActiveRuns) fail(new Error(`The device reported: ${event.error?.message}`));
  };

  #lose(message: string): void {
    this.#lost ??= new DeviceLostError(message);
    for (const fail of this.#failActiveRuns) fail(this.#lost);
  }

  #expect(check: Promise<GPUError | null>): void {
    // The rejection of a lost device is reported by `run`; until then it must not count as unhandled.
    check.catch(() => {});
    this.#checks.push(check);
  }

  /** Copies values into a new array. */
  upload(data: Float32Array | Uint32Array): GpuArray {
    const array = this.array(data instanceof Float32Array ? "float" : "word", data.length, "an upload");
    // Deno aborts the whole process at an empty write.
    if (data.length === 0) return array;
    const write = () => this.device.queue.writeBuffer(array.buffer, 0, data as Float32Array<ArrayBuffer>);
    this.#expect(inScopes(this.device, write).check);
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
    const { kernel, bindings } = step;
    if (step.workgroups === 0) return;
    const pipeline = this.#pipelines.pipeline(step), arrays = boundArrays(kernel, bindings);
    for (const { parameters, workgroups, work } of this.#slices ? cutDispatch(step) : [step]) {
      const words = parameterWords(kernel, parameters);
      this.#steps.push({ kernel, workgroups, work, words, arrays, pipeline });
    }
  }

  /** Runs what was recorded and reads arrays back. */
  run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      this.#failActiveRuns.add(reject);
      signal?.addEventListener("abort", abort, { once: true });
      this.#run(outputs, signal).then(resolve, async (error) => reject(await this.#explain(error)))
        .finally(() => {
          this.#failActiveRuns.delete(reject);
          signal?.removeEventListener("abort", abort);
        });
    });
  }

  /** Drops what was recorded and frees every array made since the last reset. */
  reset(): void {
    this.#steps = [];
    this.#checks = [];
    this.#retired.push(...this.#buffers);
    this.#buffers = [];
    if (this.#unsubmitted === 0) this.#recycle();
    this.#pool.age();
  }

  /** Frees what no array uses. */
  trim(): void {
    this.#pool.trim();
  }

  /** Frees everything on the device, and the device unless it is the caller's. */
  destroy(): void {
    this.#steps = [];
    this.#lose("The device was destroyed");
    this.#pool.destroy();
    this.device.removeEventListener("uncapturederror", this.#hearError);
    if (!this.#foreign) this.device.destroy();
  }

  /** What a failure comes from: a loss explains every other error, but may be reported a turn later than those. */
  async #explain(error: unknown): Promise<unknown> {
    if (!this.#lost) await new Promise((resolve) => setTimeout(resolve));
    return this.#lost ?? error;
  }

  async #run(outputs: readonly DeviceArray[], signal?: AbortSignal): Promise<(Float32Array | Uint32Array)[]> {
    const steps = this.#steps, checks = this.#checks;
    this.#steps = [];
    this.#checks = [];
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
    this.#unsubmitted++;
    const before = this.#submitted, { promise, resolve } = Promise.withResolvers<void>();
    this.#submitted = promise;
    let staging: GPUBuffer, accepted: Promise<void>;
    try {
      const pipelines = await Promise.all(steps.map(async (step) => {
        const pipeline = await step.pipeline;
        this.#onProgress();
        return { ...step, pipeline };
      }));
      await before;
      this.#throwIfOver(signal);
      ({ staging, accepted } = await this.#submit(pipelines, outputs, checks, signal));
    } finally {
      resolve();
      if (--this.#unsubmitted === 0) this.#recycle();
    }
    const reading = readBack(staging, outputs);
    try {
      await Promise.all([accepted, reading]);
    } catch (error) {
      this.#pool.drop(staging);
      // Whatever failed first, a refusal says why.
      await accepted;
      throw error;
    }
    this.#onProgress();
    const { results, released } = await reading;
    released.then(() => this.#pool.give(staging), () => this.#pool.drop(staging));
    await this.#turns.take();
    signal?.throwIfAborted();
    return results;
  }

  #throwIfOver(signal?: AbortSignal): void {
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
  }

  /** Submits the steps and the copies of the outputs, in slices where waiting for them all at once would hold up the event loop. */
  async #submit(
    steps: readonly CompiledStep[],
    outputs: readonly DeviceArray[],
    checks: Promise<GPUError | null>[],
    signal?: AbortSignal,
  ): Promise<{ staging: GPUBuffer; accepted: Promise<void> }> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const slices = this.#slices ? sliced(steps) : [steps], clocks: (() => Promise<void>)[] = [];
    const submitSlice = (slice: readonly CompiledStep[], staging?: GPUBuffer) => {
      const encode = () => this.#encode(slice, staging && { staging, outputs });
      const { value: readClock, check } = inScopes(this.device, encode);
      checks.push(check);
      if (readClock) clocks.push(readClock);
    };
    for (const slice of slices.slice(0, -1)) {
      this.#checking(checks, () => submitSlice(slice));
      // Returns when the device is done; that its promise takes longer is of no use here.
      this.device.queue.onSubmittedWorkDone().catch(() => {});
      this.#onProgress();
      await this.#turns.take(signal);
      this.#throwIfOver(signal);
    }
    const staging = this.#checking(checks, () => {
      const staging = this.#pool.take(stagingBytes(outputs), usage, "staging");
      submitSlice(slices[slices.length - 1], staging);
      return staging;
    });
    const accepted = firstError(checks).then(async (error) => {
      if (error) throw refusal(error);
      for (const readClock of clocks) await readClock();
    });
    return { staging, accepted };
  }

  /** Lays what the device says of buffers made meanwhile to a run that has waited, not to what is recorded now. */
  #checking<T>(checks: Promise<GPUError | null>[], calls: () => T): T {
    const others = this.#checks;
    this.#checks = checks;
    try {
      return calls();
    } finally {
      this.#checks = others;
    }
  }

  /** Hands steps, and copies of outputs after them, to the queue; returns what reads the clock. */
  #encode(
    steps: readonly CompiledStep[],
    copies?: { readonly staging: GPUBuffer; readonly outputs: readonly DeviceArray[] },
  ): (() => Promise<void>) | undefined {
    const { device } = this;
    const encoder = device.createCommandEncoder();
    const uniforms = this.#writeParameters(steps);
    if (steps.length > 0) {
      const pass = encoder.beginComputePass(this.#clock?.pass);
      steps.forEach((step, at) => {
        pass.setPipeline(step.pipeline);
        pass.setBindGroup(0, this.#bindGroup(step, uniforms[at]));
        pass.dispatchWorkgroups(...foldWorkgroups(step.workgroups));
      });
      pass.end();
    }
    let offset = 0;
    for (const { buffer, length } of copies?.outputs.map(gpuArray) ?? []) {
      if (length > 0) encoder.copyBufferToBuffer(buffer, 0, copies!.staging, offset, 4 * length);
      offset += paddedBytes(length);
    }
    const readClock = steps.length > 0 ? this.#clock?.record(encoder) : undefined;
    device.queue.submit([encoder.finish()]);
    if (uniforms.length > 0) this.#pool.give(uniforms[0].buffer);
    return readClock;
  }

  /** Writes the parameters of all steps into one buffer: one call of the queue instead of one a step. */
  #writeParameters(
    steps: readonly Pick<RecordedStep, "words">[],
  ): { buffer: GPUBuffer; offset: number; size: number }[] {
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

  #bindGroup(step: CompiledStep, uniform: GPUBufferBinding): GPUBindGroup {
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
