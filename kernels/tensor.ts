/**
 * A dense row-major array of 32-bit floats. Structural: any object of this form is accepted wherever a
 * tensor is expected.
 */
export interface Tensor {
  /** Row-major values, last dimension fastest. */
  readonly data: Float32Array;
  /** Extent of each dimension, outermost first. */
  readonly shape: readonly number[];
}

/** Number of values that a shape holds. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The shape as people write it, `[2, 4096, 64]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/**
 * Makes a tensor after checking that the shape fits the data.
 *
 * @example
 * ```ts
 * import { tensor } from "@kdeformer/kdeformer";
 * const identity = tensor([1, 0, 0, 1], [2, 2]);
 * console.log(identity.shape); // [2, 2]
 * ```
 *
 * @param data Values in row-major order; anything but a Float32Array is copied into one.
 * @param shape Positive integer extents, outermost first.
 * @throws {TypeError} If data or shape are of the wrong type, or their sizes disagree.
 * @throws {RangeError} If an extent is not a positive integer.
 */
export function tensor(data: ArrayLike<number>, shape: readonly number[]): Tensor {
  const values = data instanceof Float32Array ? data : copyToFloat32(data);
  const made = { data: values, shape: [...shape] };
  checkTensor("tensor", made);
  return made;
}

function copyToFloat32(data: ArrayLike<number>): Float32Array {
  if (data === null || typeof data !== "object" || typeof data.length !== "number") {
    throw new TypeError(
      `Cannot make a tensor: data must be an array of numbers: current value is ${typeof data}`,
    );
  }
  return Float32Array.from(data);
}

/**
 * Checks the form of a tensor (not its values).
 *
 * @param name What to call the tensor in an error.
 * @throws {TypeError} If it is not a tensor or its data does not fill its shape.
 * @throws {RangeError} If an extent is not a positive integer.
 */
export function checkTensor(name: string, value: unknown): asserts value is Tensor {
  const { data, shape } = (value ?? {}) as Partial<Tensor>;
  if (!(data instanceof Float32Array)) {
    throw new TypeError(`Cannot read ${name}: data must be a Float32Array`);
  }
  if (!Array.isArray(shape)) {
    throw new TypeError(
      `Cannot read ${name}: shape must be an array of numbers: current value is ${typeof shape}`,
    );
  }
  shape.forEach((extent, axis) => {
    if (!Number.isSafeInteger(extent) || extent < 1) {
      throw new RangeError(
        `Cannot read ${name}: dimension ${axis} must be a positive integer: current value is ${extent}`,
      );
    }
  });
  if (data.length !== sizeOf(shape)) {
    throw new TypeError(
      `Cannot read ${name}: shape ${formatShape(shape)} needs ${
        sizeOf(shape)
      } values but data has ${data.length}`,
    );
  }
}
