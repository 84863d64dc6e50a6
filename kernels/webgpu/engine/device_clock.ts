/** Bytes of two timestamps. */
const BYTES = 16;

/** Measures how long a device computes, by its own clock, from the first dispatch of a submission to the last. */
export class DeviceClock {
  readonly #device: GPUDevice;
  readonly #times: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #seconds = 0;

  /** The device must have the feature `timestamp-query`. */
  constructor(device: GPUDevice) {
    this.#device = device;
    this.#times = device.createQuerySet({ label: "clock", type: "timestamp", count: 2 });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    this.#resolved = device.createBuffer({ label: "clock", size: BYTES, usage });
  }

  /** Seconds in all, of the submissions that have been read. */
  get seconds(): number {
    return this.#seconds;
  }

  /** What a compute pass needs so that it is measured. */
  get pass(): GPUComputePassDescriptor {
    const timestampWrites = {
      querySet: this.#times,
      beginningOfPassWriteIndex: 0,
      endOfPassWriteIndex: 1,
    };
    return { timestampWrites };
  }

  /** Has the times of the pass copied at the end of its submission; the result waits for them and adds them. */
  record(encoder: GPUCommandEncoder): () => Promise<void> {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const staging = this.#device.createBuffer({ label: "clock", size: BYTES, usage });
    encoder.resolveQuerySet(this.#times, 0, 2, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, BYTES);
    return async () => {
      await staging.mapAsync(GPUMapMode.READ);
      const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
      this.#seconds += Number(end - begin) / 1e9;
      staging.destroy();
    };
  }
}
