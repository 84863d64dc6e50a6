import type { MatrixRows } from "../../estimators/linear_algebra/gram_images.ts";

/** What a softmax matrix is made of. */
export interface SoftmaxSource {
  /** [queries, features] and [keys, features] */
  readonly query: ArrayLike<number>;
  readonly key: ArrayLike<number>;
  readonly features: number;
  readonly scale: number;
}

/** Keys that go by together: sums that wait for one another would take four times as long. */
const TOGETHER = 4;

/**
 * Rows of P by the formula in float64, independently of every kernel, each computed when it is asked for: the measure of a matrix that is too
 * large to be held, and of what is held row by row.
 */
export class SoftmaxRows implements MatrixRows {
  readonly rows: number;
  readonly columns: number;
  readonly #query: Float64Array;
  readonly #key: Float64Array;
  readonly #features: number;
  readonly #scale: number;
  readonly #own: Float64Array;
  #logSum = NaN;

  constructor({ query, key, features, scale }: SoftmaxSource) {
    this.#query = Float64Array.from(query);
    this.#key = Float64Array.from(key);
    this.#features = features;
    this.#scale = scale;
    this.rows = query.length / features;
    this.columns = key.length / features;
    this.#own = new Float64Array(this.columns);
  }

  /** ln of the sum of exponentials of the row computed last. */
  get logSum(): number {
    return this.#logSum;
  }

  /**
   * Row i.
   *
   * @param row Where to write it; by default an array that the next row overwrites.
   */
  row(i: number, row: Float64Array = this.#own): Float64Array {
    const largest = this.#logits(i, row);
    let total = 0;
    for (let j = 0; j < row.length; j++) total += row[j] = Math.exp(row[j] - largest);
    this.#logSum = largest + Math.log(total);
    for (let j = 0; j < row.length; j++) row[j] /= total;
    return row;
  }

  /** Writes logits; returns the largest. */
  #logits(i: number, row: Float64Array): number {
    const features = this.#features, query = this.#query, key = this.#key, scale = this.#scale;
    const start = i * features, end = start + features, keys = row.length;
    let largest = -Infinity, j = 0;
    for (; j + TOGETHER <= keys; j += TOGETHER) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let t = start, at = j * features; t < end; t++, at++) {
        const x = query[t];
        s0 += x * key[at];
        s1 += x * key[at + features];
        s2 += x * key[at + 2 * features];
        s3 += x * key[at + 3 * features];
      }
      row[j] = scale * s0;
      row[j + 1] = scale * s1;
      row[j + 2] = scale * s2;
      row[j + 3] = scale * s3;
    }
    for (; j < keys; j++) {
      let sum = 0;
      for (let t = start, at = j * features; t < end; t++, at++) sum += query[t] * key[at];
      row[j] = scale * sum;
    }
    for (let at = 0; at < keys; at++) largest = Math.max(largest, row[at]);
    return largest;
  }
}
