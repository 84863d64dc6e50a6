/** Rows of the second factor that go by together: sums that wait for one another would take four times as long. */
const TOGETHER = 4;

/**
 * Inner products of all rows of two matrices.
 *
 * @param a [rows, width]
 * @param b [others, width]
 * @returns [rows, others]
 */
export function rowProducts(a: Float64Array, b: Float64Array, width: number): Float64Array {
  return multiply(a, b, width, false);
}

/** Inner products of all rows of a matrix with each other: [rows, rows], symmetric to the bit. */
export function gramMatrix(a: Float64Array, width: number): Float64Array {
  const products = multiply(a, a, width, true), rows = a.length / width;
  for (let row = 0; row < rows; row++) {
    for (let other = 0; other < row; other++) products[other * rows + row] = products[row * rows + other];
  }
  return products;
}

/** The products of each row with all others, or only with those up to itself, and a few more. */
function multiply(a: Float64Array, b: Float64Array, width: number, lower: boolean): Float64Array {
  const rows = a.length / width, others = b.length / width, products = new Float64Array(rows * others);
  for (let row = 0; row < rows; row++) {
    const start = row * width, end = start + width, last = lower ? row + 1 : others;
    let other = 0;
    for (; other < last && other + TOGETHER <= others; other += TOGETHER) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let i = start, j = other * width; i < end; i++, j++) {
        const x = a[i];
        s0 += x * b[j];
        s1 += x * b[j + width];
        s2 += x * b[j + 2 * width];
        s3 += x * b[j + 3 * width];
      }
      const to = row * others + other;
      products[to] = s0;
      products[to + 1] = s1;
      products[to + 2] = s2;
      products[to + 3] = s3;
    }
    for (; other < last; other++) {
      let sum = 0;
      for (let i = start, j = other * width; i < end; i++, j++) sum += a[i] * b[j];
      products[row * others + other] = sum;
    }
  }
  return products;
}

/** [rows, columns] -> [columns, rows] */
export function transposed(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns, turned = new Float64Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = matrix[row * columns + column];
    }
  }
  return turned;
}
