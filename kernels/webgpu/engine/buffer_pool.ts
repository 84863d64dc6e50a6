/** Uses after which an idle buffer is given back to the device, counted in calls of `BufferPool.age`. */
const GENERATIONS_KEPT = 4;

interface IdleBuffer {
  readonly buffer: GPUBuffer;
  readonly since: number;
}

/**
 * Buffers kept for reuse. Making a buffer is dear: the device clears it, and its memory is paged in at the
 * first touch. Sizes are rounded up to a quarter of a power of two, so that similar problems share buffers.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #largestBytes: number;
  readonly #idle = new Map<string, IdleBuffer[]>();
  readonly #all = new Set<GPUBuffer>();
  #generation = 0;

  constructor(device: GPUDevice, largestBytes: number) {
    this.#device = device;
    this.#largestBytes = largestBytes - largestBytes % 16;
  }

  /** A buffer of at least `bytes` bytes; its contents are arbitrary. */
  take(bytes: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    const size = Math.max(bytes, Math.min(sizeClass(bytes), this.#largestBytes));
    const idle = this.#idle.get(`${usage}:${size}`)?.pop();
    if (idle) return idle.buffer;
    const buffer = this.#device.createBuffer({ label, size, usage });
    this.#all.add(buffer);
    return buffer;
  }

  /** Gives a buffer back. The caller must not have it in work that is recorded but not yet submitted. */
  give(buffer: GPUBuffer): void {
    const kind = `${buffer.usage}:${buffer.size}`;
    const idle = this.#idle.get(kind);
    const entry = { buffer, since: this.#generation };
    if (idle) idle.push(entry);
    else this.#idle.set(kind, [entry]);
  }

  /** Destroys what has been idle for several generations, so that one large problem does not hold memory. */
  age(): void {
    this.#generation++;
    for (const [kind, idle] of this.#idle) {
      const kept = idle.filter(({ since }) => this.#generation - since <= GENERATIONS_KEPT);
      for (const { buffer } of idle.filter((entry) => !kept.includes(entry))) this.drop(buffer);
      this.#idle.set(kind, kept);
    }
  }

  /** Destroys a buffer that was taken. */
  drop(buffer: GPUBuffer): void {
    this.#all.delete(buffer);
    buffer.destroy();
  }

  /** Destroys every buffer ever taken. */
  destroy(): void {
    for (const buffer of this.#all) buffer.destroy();
    this.#all.clear();
    this.#idle.clear();
  }
}

/** The next quarter of a power of two: at most a quarter of a buffer lies unused. */
function sizeClass(bytes: number): number {
  const quarter = Math.max(64, 2 ** Math.floor(Math.log2(Math.max(bytes, 1))) / 4);
  return Math.ceil(bytes / quarter) * quarter;
}
