import { inScopes } from "./error_scopes.ts";

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
  readonly #onCheck: (check: Promise<GPUError | null>) => void;
  #generation = 0;

  /** `onCheck` is given what the device will say of each buffer that is made: an error, or null. */
  constructor(
    device: GPUDevice,
    largestBytes: number,
    onCheck: (check: Promise<GPUError | null>) => void = () => {},
  ) {
    this.#onCheck = onCheck;
    this.#device = device;
    this.#largestBytes = largestBytes - largestBytes % 16;
  }

  /** A buffer of at least `bytes` bytes; its contents are arbitrary. */
  take(bytes: number, usage: GPUBufferUsageFlags, label: string): GPUBuffer {
    const size = Math.max(bytes, Math.min(sizeClass(bytes), this.#largestBytes));
    const idle = this.#idle.get(`${usage}:${size}`)?.pop();
    if (idle) return idle.buffer;
    const make = () => this.#device.createBuffer({ label, size, usage });
    const { value: buffer, check } = inScopes(this.#device, make);
    this.#all.add(buffer);
    // One that could not be made must not serve later calls; nor shall memory lie idle when there is none left.
    check.then((error) => error && this.#giveUp(buffer), () => {});
    this.#onCheck(check);
    return buffer;
  }

  #giveUp(buffer: GPUBuffer): void {
    this.drop(buffer);
    for (const [kind, idle] of this.#idle) {
      this.#idle.set(kind, idle.filter((entry) => entry.buffer !== buffer));
    }
    this.trim();
  }

  /** Gives a buffer back. The caller must not have it in work that is recorded but not yet submitted. */
  give(buffer: GPUBuffer): void {
    if (!this.#all.has(buffer)) return;
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

  /** Destroys what is idle. */
  trim(): void {
    for (const idle of this.#idle.values()) for (const { buffer } of idle) this.drop(buffer);
    this.#idle.clear();
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
