/** Squared norms of rows of `width` numbers, in float64. */
export function squaredNorms(rows: Float32Array | Float64Array, width: number): Float64Array {
  const norms = new Float64Array(rows.length / width);
  for (let row = 0, at = 0; row < norms.length; row++) {
    let sum = 0;
    for (let c = 0; c < width; c++, at++) sum += rows[at] * rows[at];
    norms[row] = sum;
  }
  return norms;
}
