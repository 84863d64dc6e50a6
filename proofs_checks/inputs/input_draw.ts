import { Purpose, RandomStream } from "../../kernels/random.ts";
import { tensor } from "../../kernels/tensor.ts";
import type { AttentionInput, InputOptions } from "./family.ts";
import { normalValues } from "./normal_values.ts";

/** Streams of random numbers of one draw, by use; a family that needs no centres may use theirs for something else. */
export const Stream = {
  query: 0,
  key: 1,
  value: 2,
  centres: 3,
  valueCentres: 4,
  queryClusters: 5,
  keyClusters: 6,
  order: 7,
} as const;
/** One of the values of {@link Stream}. */
export type Stream = typeof Stream[keyof typeof Stream];

const STREAMS = 8;

/** The checked options of one draw and the random numbers that belong to it. */
export class InputDraw {
  readonly keys: number;
  readonly queries: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly draw: number;
  readonly #family: string;
  readonly #seed: number;

  /** @throws {RangeError} If an extent is not a positive integer, or the seed or the draw is no integer in range. */
  constructor(family: string, options: InputOptions) {
    const { n, seed, draw = 0, queries = n, features = 64, valueFeatures = features } = options;
    this.#family = family;
    for (const [name, extent] of Object.entries({ n, queries, features, valueFeatures })) {
      this.check(Number.isSafeInteger(extent) && extent > 0, `${name} must be a positive integer`, extent);
    }
    this.check(Number.isSafeInteger(seed) && seed >= 0, "seed must be an integer from 0 to 2^53 − 1", seed);
    this.check(
      Number.isInteger(draw) && draw >= 0 && draw < 2 ** 29,
      "draw must be an integer from 0 to 2^29 − 1",
      draw,
    );
    this.keys = n;
    this.queries = queries;
    this.features = features;
    this.valueFeatures = valueFeatures;
    this.draw = draw;
    this.#seed = seed;
  }

  /** @throws {RangeError} Unless the condition holds. */
  check(condition: boolean, rule: string, value: unknown): void {
    if (!condition) {
      throw new RangeError(`Cannot generate ${this.#family}: ${rule}: current value is ${value}`);
    }
  }

  /** Normal deviates of one of the draw's streams. */
  normals(stream: Stream, count: number, deviation = 1): Float32Array {
    return normalValues(count, { seed: this.#seed, stream: this.#stream(stream), deviation });
  }

  /** One of the draw's streams, from its start. */
  random(stream: Stream): RandomStream {
    return new RandomStream(this.#seed, Purpose.data, this.#stream(stream));
  }

  normalQueries(deviation = 1): Float32Array {
    return this.normals(Stream.query, this.queries * this.features, deviation);
  }

  normalKeys(deviation = 1): Float32Array {
    return this.normals(Stream.key, this.keys * this.features, deviation);
  }

  normalValues(): Float32Array {
    return this.normals(Stream.value, this.keys * this.valueFeatures);
  }

  /** The default scale, 1/√features. */
  get scale(): number {
    return 1 / Math.sqrt(this.features);
  }

  /** Puts the rows of a problem into tensors. */
  input(
    query: Float32Array,
    key: Float32Array,
    value: Float32Array = this.normalValues(),
    scale: number = this.scale,
  ): AttentionInput {
    const { queries, features, valueFeatures } = this;
    const keys = key.length / features;
    return {
      query: tensor(query, [1, queries, features]),
      key: tensor(key, [1, keys, features]),
      value: tensor(value, [1, keys, valueFeatures]),
      scale,
    };
  }

  #stream(stream: Stream): number {
    return STREAMS * this.draw + stream;
  }
}
