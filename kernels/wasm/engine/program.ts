import type { WasmArray } from "./arguments.ts";
import * as layout from "./layout.ts";

export type { WasmArray } from "./arguments.ts";

/** One operation before it is written to memory. */
export interface Operation {
  readonly code: number;
  readonly tasks: number;
  /** Its arguments, as from `packArguments`. */
  readonly words: readonly number[];
  readonly inputs: readonly (WasmArray | undefined)[];
  readonly outputs: readonly WasmArray[];
  /** Scratch memory that each thread needs. */
  readonly scratchBytes?: number;
}

/** What primitives need of the backend: memory for their results, and a place to note what to do. */
export interface Workspace {
  /** A new array of floats. */
  floats(length: number): WasmArray;
  /** A new array of words. */
  words(length: number): WasmArray;
  /** Notes an operation. */
  record(operation: Operation): void;
}

/** An operation and those that read from it. */
interface Recorded {
  readonly operation: Operation;
  readonly readers: Recorded[];
}

/**
 * The operations recorded since the last run. Each has a level, one below the lowest of those that read from it, or
 * the last if nothing does; operations of one level run side by side, so that short ones, and those that one thread does
 * alone, leave no thread idle.
 */
export class Program {
  /** What makes an array. */
  #makers = new Map<WasmArray, Recorded>();
  #operations: Recorded[] = [];

  /** Number of operations. */
  get size(): number {
    return this.#operations.length;
  }

  /** Scratch bytes that each thread needs. */
  get scratchBytes(): number {
    return this.#operations.reduce((most, { operation }) => Math.max(most, operation.scratchBytes ?? 0), 0);
  }

  /** Adds an operation. */
  record(operation: Operation): void {
    // One without a task would never be finished: the last task of an operation says so.
    if (operation.tasks === 0) return;
    const recorded: Recorded = { operation, readers: [] };
    for (const array of operation.inputs) {
      if (array) this.#makers.get(array)?.readers.push(recorded);
    }
    for (const array of operation.outputs) this.#makers.set(array, recorded);
    this.#operations.push(recorded);
  }

  /** Writes the operations in the order of their levels. */
  write(target: Uint32Array): void {
    // Readers come after what they read, so that each is reached before its makers; levels count from the end.
    const fromEnd = new Map<Recorded, number>();
    for (const recorded of this.#operations.toReversed()) {
      fromEnd.set(
        recorded,
        recorded.readers.reduce((most, reader) => Math.max(most, 1 + fromEnd.get(reader)!), 0),
      );
    }
    const ordered = this.#operations
      .map((recorded) => ({ operation: recorded.operation, level: -fromEnd.get(recorded)! }))
      .sort((a, b) => a.level - b.level);
    const stride = layout.OPERATION_BYTES / 4;
    let needed = 0;
    target.fill(0);
    ordered.forEach(({ operation, level }, index) => {
      if (index > 0 && level > ordered[index - 1].level) needed = index;
      const at = index * stride;
      target[at + layout.CODE / 4] = operation.code;
      target[at + layout.TASKS / 4] = operation.tasks;
      target[at + layout.NEEDED / 4] = needed;
      target.set(operation.words, at + layout.ARGUMENTS / 4);
    });
  }
}
