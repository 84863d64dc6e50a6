import { ARENA_START } from "./layout.ts";

const PAGE = 65536;
/** Memory is made this big and grows from there. */
const INITIAL_PAGES = 256;
const LARGEST_PAGES = 65536;
/** Addresses are multiples of a cache line. */
const ALIGNMENT = 64;
/** Kernels may read this far beyond the end of an array, never using what they find. */
const SLACK = 64;

/** One WebAssembly memory that is handed out from bottom to top and taken back as a whole. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  #limit: number;
  #top = ARENA_START;
  #most = ARENA_START;

  constructor(shared: boolean) {
    const { memory, maximum } = openMemory(shared);
    this.memory = memory;
    this.#limit = maximum * PAGE;
  }

  /** Bytes that the memory may grow to: those that it has once the system has refused more. */
  get limit(): number {
    return this.#limit;
  }

  /** Bytes that the memory has grown to: it never shrinks. */
  get size(): number {
    return this.memory.buffer.byteLength;
  }

  /** The most bytes that were reserved at one time since the last look. */
  takeMost(): number {
    const most = this.#most;
    this.#most = this.#top;
    return most;
  }

  /** Address of the next free byte. */
  get top(): number {
    return this.#top;
  }

  /**
   * Reserves memory, aligned to a cache line.
   *
   * @throws {RangeError} If the memory cannot grow that far.
   */
  allocate(bytes: number): number {
    const address = this.#top;
    const end = Math.ceil((address + bytes) / ALIGNMENT) * ALIGNMENT;
    const pages = Math.ceil((end + SLACK) / PAGE) - this.memory.buffer.byteLength / PAGE;
    if (pages > 0) {
      try {
        this.memory.grow(pages);
      } catch {
        if (end + SLACK <= this.#limit) this.#limit = this.size;
        throw new RangeError(
          `Cannot allocate ${bytes} bytes of WebAssembly memory: ${address} bytes are in use and there are no more than ` +
            `${this.#limit} in all; exact attention takes less than other methods, since it cuts heads in parts`,
        );
      }
    }
    this.#top = end;
    this.#most = Math.max(this.#most, end);
    return address;
  }

  /** Frees everything from an address on. */
  release(address = ARENA_START): void {
    this.#top = address;
  }

  /** The words at an address. The view dies when the memory grows. */
  words(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** The floats at an address. The view dies when the memory grows. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }
}

/** Some engines refuse to reserve 4 GiB: ask for less then. */
function openMemory(shared: boolean): { memory: WebAssembly.Memory; maximum: number } {
  for (let maximum = LARGEST_PAGES;; maximum /= 2) {
    try {
      return { memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared }), maximum };
    } catch (error) {
      if (maximum <= INITIAL_PAGES) throw error;
    }
  }
}
