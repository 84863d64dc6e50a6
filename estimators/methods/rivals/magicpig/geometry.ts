import { squaredNorms } from "../shared/row_norms.ts";

/** In which space rows are hashed. */
export type Space = "centred" | "lifted";

/** Rows as they are hashed, and what takes products of rows to logits and angles. */
export interface Geometry {
  readonly width: number;
  /** [queries, width] and [keys, width], as they are hashed. */
  readonly query: Float32Array;
  readonly key: Float32Array;
  /** [keys, features]: keys about their mean, and that mean. */
  readonly centred: Float32Array;
  readonly mean: Float64Array;
  /** Cosine of query i and key j from their product t = ±⟨q, k − mean⟩. */
  readonly cosine: (i: number, j: number, t: number) => number;
}

/**
 * Keys about their mean, which softmax does not see. In "centred" space queries stay what they are, as in its authors' code; in "lifted"
 * space both are moved by the mean of the keys, and keys get another column that makes them equally long, as in a port of it: then the
 * largest logit has the smallest angle.
 *
 * @param sign −1 if logits have the opposite sign of products.
 */
export function geometryOf(
  query: Float32Array,
  key: Float32Array,
  features: number,
  space: Space,
  sign: number,
): Geometry {
  const keys = key.length / features, mean = new Float64Array(features);
  for (let at = 0; at < key.length; at++) mean[at % features] += key[at] / keys;
  const centred = key.map((x, at) => x - mean[at % features]);
  const lengths = lengthsOf(centred, features), signed = sign < 0 ? query.map((x) => -x) : query;
  if (space === "centred") {
    const own = lengthsOf(signed, features);
    return {
      ...{ width: features, query: signed, key: centred, centred, mean },
      cosine: (i, j, t) => cosineOf(t, own[i], lengths[j]),
    };
  }
  const longest = lengths.reduce((a, b) => Math.max(a, b), 0) || 1;
  const moved = signed.map((x, at) => x - mean[at % features]), own = lengthsOf(moved, features);
  const ofMean = Float64Array.from({ length: keys }, (_, j) => {
    let product = 0;
    for (let c = 0; c < features; c++) product += mean[c] * centred[j * features + c];
    return product;
  });
  return {
    ...{ width: features + 1, centred, mean },
    query: widen(moved, features, 1, () => 0),
    key: widen(
      centred,
      features,
      1 / longest,
      (j) => Math.sqrt(Math.max(0, 1 - (lengths[j] / longest) ** 2)),
    ),
    cosine: (i, j, t) => cosineOf(t - ofMean[j], own[i], longest),
  };
}

/** Rows of zeros have sign bits of zeros: they meet others as rows at right angles would, and each other always. */
function cosineOf(product: number, a: number, b: number): number {
  if (a === 0 || b === 0) return a === b ? 1 : 0;
  return Math.max(-1, Math.min(1, product / a / b));
}

function lengthsOf(rows: Float32Array, width: number): Float64Array {
  return squaredNorms(rows, width).map(Math.sqrt);
}

/** Rows times a factor with one more column. */
function widen(
  rows: Float32Array,
  width: number,
  factor: number,
  last: (row: number) => number,
): Float32Array {
  const count = rows.length / width, wide = new Float32Array(count * (width + 1));
  for (let row = 0; row < count; row++) {
    for (let c = 0; c < width; c++) wide[row * (width + 1) + c] = factor * rows[row * width + c];
    wide[row * (width + 1) + width] = last(row);
  }
  return wide;
}
