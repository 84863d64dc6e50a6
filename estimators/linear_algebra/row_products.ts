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
  return multiply(a, b, width);
}

/** Inner products of all rows of a matrix with each other: [rows, rows], symmetric to the bit. */
export function gramMatrix(a: Float64Array, width: number): Float64Array {
  return mirrored(multiply(a, a, width, { lower: true }), a.length / width);
}

/** U S Uᵀ for an upper triangular U and a symmetric S, [size, size] both; symmetric to the bit. */
export function congruent(upper: Float64Array, symmetric: Float64Array, size: number): Float64Array {
  const product = multiply(upper, symmetric, size, { upper: true });
  return mirrored(multiply(product, upper, size, { lower: true }), size);
}

function mirrored(products: Float64Array, rows: number): Float64Array {
  for (let row = 0; row < rows; row++) {
    for (let other = 0; other < row; other++) products[other * rows + row] = products[row * rows + other];
  }
  return products;
}

/** The products of rows; those of a row with others up to itself, and a few more, if `lower`; rows of `a` are 0 before the diagonal if `upper`. */
function multiply(
  a: Float64Array,
  b: Float64Array,
  width: number,
  { lower = false, upper = false } = {},
): Float64Array {
  const rows = a.length / width, others = b.length / width, products = new Float64Array(rows * others);
  for (let row = 0; row < rows; row++) {
    const skipped = upper ? row : 0, last = lower ? row + 1 : others;
    const start = row * width + skipped, end = (row + 1) * width;
    let other = 0;
    for (; other < last && other + TOGETHER <= others; other += TOGETHER) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let i = start, j = other * width + skipped; i < end; i++, j++) {
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
      for (let i = start, j = other * width + skipped; i < end; i++, j++) sum += a[i] * b[j];
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
