/** Float64 helpers on row-major rows, for generators whose geometry must be exact up to rounding. */

/** Inner product of row i of a with row j of b. */
export function dotRows(
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
  width: number,
): number {
  let sum = 0;
  for (let t = 0; t < width; t++) sum += a[i * width + t] * b[j * width + t];
  return sum;
}

/** Adds a multiple of a vector to row i. */
export function addToRow(rows: Float32Array, i: number, vector: ArrayLike<number>, factor: number): void {
  const width = vector.length;
  for (let t = 0; t < width; t++) rows[i * width + t] += factor * vector[t];
}

/** Writes a multiple of a vector into row i. */
export function setRow(rows: Float32Array, i: number, vector: ArrayLike<number>, factor: number): void {
  const width = vector.length;
  for (let t = 0; t < width; t++) rows[i * width + t] = factor * vector[t];
}

/** Brings every row to one length; rows of length 0 stay. */
export function scaleRows(rows: Float32Array, width: number, length: number): Float32Array {
  for (let i = 0; i < rows.length / width; i++) {
    const norm = Math.sqrt(dotRows(rows, i, rows, i, width));
    if (norm === 0) continue;
    for (let t = 0; t < width; t++) rows[i * width + t] *= length / norm;
  }
  return rows;
}

/** Takes the component along a unit vector out of every row. */
export function removeDirection(rows: Float32Array, unit: Float64Array): Float32Array {
  for (let i = 0; i < rows.length / unit.length; i++) {
    addToRow(rows, i, unit, -dotRows(rows, i, unit, 0, unit.length));
  }
  return rows;
}

/** A vector divided by its length. */
export function unitVector(vector: ArrayLike<number>): Float64Array {
  const length = Math.sqrt(dotRows(vector, 0, vector, 0, vector.length));
  return Float64Array.from(vector, (x) => x / length);
}

/**
 * Gram–Schmidt, run twice over each row because once leaves the rounding errors of nearly parallel rows.
 *
 * @returns Orthonormal rows that span the same space, and the lower triangle with rows = triangle · basis.
 */
export function orthonormalise(
  rows: ArrayLike<number>,
  count: number,
  width: number,
): { basis: Float64Array; triangle: Float64Array } {
  const basis = Float64Array.from({ length: count * width }, (_, at) => rows[at]);
  const triangle = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const row = basis.subarray(i * width, (i + 1) * width);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const along = dotRows(row, 0, basis, j, width);
        triangle[i * count + j] += along;
        for (let t = 0; t < width; t++) row[t] -= along * basis[j * width + t];
      }
    }
    const length = Math.sqrt(dotRows(row, 0, row, 0, width));
    triangle[i * count + i] = length;
    for (let t = 0; t < width; t++) row[t] /= length;
  }
  return { basis, triangle };
}
