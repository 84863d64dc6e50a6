/** A matrix of which one row at a time is looked at. */
export interface MatrixRows {
  readonly rows: number;
  readonly columns: number;
  /** Row i; the array may be used again for the next. */
  row(i: number): Float64Array;
}

/** The rows of a matrix that is held, [rows, columns]. */
export function rowsOf(values: Float64Array, rows: number, columns: number): MatrixRows {
  return { rows, columns, row: (i) => values.subarray(i * columns, (i + 1) * columns) };
}

/** AᵀA times each vector, in one pass over the rows of A. */
export function gramImages(matrix: MatrixRows, vectors: readonly Float64Array[]): Float64Array[] {
  const images = vectors.map(() => new Float64Array(matrix.columns));
  for (let i = 0; i < matrix.rows; i++) {
    const row = matrix.row(i);
    vectors.forEach((vector, at) => addRow(images[at], row, innerProduct(row, vector)));
  }
  return images;
}

/** Of two vectors, in four sums, none of which has to wait for another. */
export function innerProduct(row: Float64Array, vector: Float64Array): number {
  const whole = row.length - row.length % 4;
  let a = 0, b = 0, c = 0, d = 0;
  for (let i = 0; i < whole; i += 4) {
    a += row[i] * vector[i];
    b += row[i + 1] * vector[i + 1];
    c += row[i + 2] * vector[i + 2];
    d += row[i + 3] * vector[i + 3];
  }
  for (let i = whole; i < row.length; i++) a += row[i] * vector[i];
  return (a + b) + (c + d);
}

/** Adds a multiple of a row. */
export function addRow(image: Float64Array, row: Float64Array, factor: number): void {
  for (let c = 0; c < image.length; c++) image[c] += factor * row[c];
}
