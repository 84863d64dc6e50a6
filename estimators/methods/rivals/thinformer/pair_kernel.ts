import { largestMagnitude } from "../../../../kernels/wasm/largest_magnitude.ts";
import { squaredNorms } from "../shared/row_norms.ts";

/** Keys and values of a head, and what is computed of them once. */
export interface ThinnedRows {
  /** [keys, features] */
  readonly key: Float32Array;
  /** [keys, valueFeatures] */
  readonly value: Float32Array;
  readonly features: number;
  readonly valueFeatures: number;
  /** |scale|: where it is negative, keys count as their opposites, which changes no product of two. */
  readonly scale: number;
  /** [keys]: scale · ‖key‖². */
  readonly keySquares: Float64Array;
  /** [keys]: ‖value‖² + the square of the largest |value|. */
  readonly valueSquares: Float64Array;
  /** That square: it keeps the kernel of keys in view where values are small. */
  readonly offset: number;
}

/** Looks at the rows of a head: one product of each key with itself. */
export function thinnedRows(
  key: Float32Array,
  value: Float32Array,
  { features, valueFeatures, scale }: Pick<ThinnedRows, "features" | "valueFeatures" | "scale">,
): ThinnedRows {
  const size = Math.abs(scale), offset = largestMagnitude(value) ** 2;
  return {
    ...{ key, value, features, valueFeatures, scale: size, offset },
    keySquares: squaredNorms(key, features).map((square) => size * square),
    valueSquares: squaredNorms(value, valueFeatures).map((square) => square + offset),
  };
}

/**
 * The kernel of attention, e^(scale ⟨k, k'⟩ − shift) (⟨v, v'⟩ + offset), within one bucket. The shift is the largest scale · ‖k‖² of the
 * bucket: no entry exceeds it, so that nothing overflows, and thinning does not depend on it.
 */
export class PairKernel {
  readonly #rows: ThinnedRows;
  readonly #members: Uint32Array;
  readonly #key: Float64Array;
  readonly #value: Float64Array;
  readonly #shift: number;

  /** @param members Rows of the bucket. */
  constructor(rows: ThinnedRows, members: Uint32Array) {
    const { features, valueFeatures, keySquares } = rows;
    this.#rows = rows;
    this.#members = members;
    // Side by side: each row is read once for each other one.
    this.#key = new Float64Array(members.length * features);
    this.#value = new Float64Array(members.length * valueFeatures);
    let shift = -Infinity;
    members.forEach((row, at) => {
      this.#key.set(rows.key.subarray(row * features, (row + 1) * features), at * features);
      this.#value.set(
        rows.value.subarray(row * valueFeatures, (row + 1) * valueFeatures),
        at * valueFeatures,
      );
      shift = Math.max(shift, keySquares[row]);
    });
    this.#shift = shift;
  }

  /** Of a member with itself. */
  self(at: number): number {
    const row = this.#members[at];
    return Math.exp(this.#rows.keySquares[row] - this.#shift) * this.#rows.valueSquares[row];
  }

  /** Of two members. */
  of(a: number, b: number): number {
    const { features, valueFeatures, scale, offset } = this.#rows, key = this.#key, value = this.#value;
    let products = 0, weights = offset;
    for (let c = 0, i = a * features, j = b * features; c < features; c++) products += key[i++] * key[j++];
    for (let c = 0, i = a * valueFeatures, j = b * valueFeatures; c < valueFeatures; c++) {
      weights += value[i++] * value[j++];
    }
    return Math.exp(scale * products - this.#shift) * weights;
  }
}
