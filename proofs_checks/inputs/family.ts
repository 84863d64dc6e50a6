import type { Tensor } from "../../kernels/tensor.ts";

/** One attention problem, not masked: of a family a single head, [1, …]; elsewhere as many as there are. */
export interface AttentionInput {
  /** [heads, queries, features] */
  readonly query: Tensor;
  /** [heads, keys, features] */
  readonly key: Tensor;
  /** [heads, keys, valueFeatures] */
  readonly value: Tensor;
  /** Factor on every inner product. */
  readonly scale: number;
}

/** A problem with what people call it; heads may lie one behind the other, [heads, …]. */
export interface NamedInput extends AttentionInput {
  readonly name: string;
  /** What the tensors hold, in one line. */
  readonly description: string;
}

/** What every family may be asked for. */
export interface InputOptions {
  /** Number of keys. */
  readonly n: number;
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Which of the seed's independent draws, 0 by default; the heads of a batch are draws 0, 1, 2, … */
  readonly draw?: number;
  /** Number of queries, `n` by default. */
  readonly queries?: number;
  /** Features of queries and keys, 64 by default. */
  readonly features?: number;
  /** Features of values, `features` by default. */
  readonly valueFeatures?: number;
}

/** A distribution of inputs; equal options give equal values on every machine up to the last bits of sine and logarithm. */
export interface InputFamily<Parameters = unknown> {
  readonly name: string;
  /** What the inputs are and what the guarantee says of them, in one sentence. */
  readonly description: string;
  /** @throws {RangeError} If an option is out of range for the family. */
  generate(options: InputOptions & Parameters): AttentionInput;
}
