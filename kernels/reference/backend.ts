import type { Backend, DeviceArray } from "../backend.ts";
import type { Primitives } from "../primitives.ts";
import { Turns } from "../runtime.ts";
import { floats, floatValues, words, wordValues } from "./array.ts";
import { attendRounding } from "./attend_rounding.ts";
import { operations } from "./operations.generated.ts";
import { defer, type Pending, type Steps } from "./steps.ts";

// What the constructor binds.
export interface ReferenceBackend extends Primitives {}

/**
 * The float64 reference: every primitive as plain, readable TypeScript. It is the oracle for the other backends and
 * works wherever JavaScript does. What was recorded is computed in slices, so that timers and abort signals have their turn.
 */
export class ReferenceBackend implements Backend {
  readonly kind = "reference";
  readonly adapter = "float64 TypeScript";
  readonly software = false;
  readonly largestArrayBytes: number = 2 ** 33;
  readonly #turns = new Turns();
  #work: Pending[] = [];

  readonly attendRounding = attendRounding;

  constructor() {
    const bound = Object.entries(operations).map(([name, primitive]) => [name, this.#recorded(primitive)]);
    Object.assign(this, Object.fromEntries(bound));
  }

  upload(data: Float32Array | Uint32Array): DeviceArray {
    return data instanceof Uint32Array ? words(data.slice()) : floats(Float64Array.from(data));
  }

  async run(
    outputs: readonly DeviceArray[],
    signal?: AbortSignal,
  ): Promise<(Float32Array | Uint32Array)[]> {
    const work = this.#work;
    this.#work = [];
    signal?.throwIfAborted();
    for (const pending of work) {
      while (!pending.advance(this.#turns.end)) await this.#turns.take(signal);
    }
    return outputs.map((array) =>
      array.type === "word" ? wordValues(array).slice() : Float32Array.from(floatValues(array))
    );
  }

  reset(): void {
    this.#work = [];
  }

  destroy(): void {
    this.reset();
  }

  /** A primitive that is only begun when it is called. */
  #recorded(primitive: (args: never) => Steps<object>): (args: never) => object {
    return (args) => {
      const { results, pending } = defer(primitive(args));
      this.#work.push(pending);
      return results;
    };
  }
}
