/** Products of small matrices on the host, row-major and in float64. */

/** Rows of a Gram matrix that are computed together. */
const BAND = 16;

/** A · Bᵀ for A [rows, width] and B [count, width]: [rows, count]. Four sums at a time, since one alone waits for itself. */
export function multiplyTransposed(
  a: Float64Array,
  rows: number,
  b: Float64Array,
  count: number,
  width: number,
): Float64Array {
  const product = new Float64Array(rows * count);
  let i = 0;
  for (; i + 2 <= rows; i += 2) {
    let j = 0;
    for (; j + 2 <= count; j += 2) {
      let p = i * width, q = j * width, s00 = 0, s01 = 0, s10 = 0, s11 = 0;
      for (const end = p + width; p < end; p++, q++) {
        const x = a[p], y = a[p + width], u = b[q], v = b[q + width];
        s00 += x * u;
        s01 += x * v;
        s10 += y * u;
        s11 += y * v;
      }
      product[i * count + j] = s00;
      product[i * count + j + 1] = s01;
      product[(i + 1) * count + j] = s10;
      product[(i + 1) * count + j + 1] = s11;
    }
    for (; j < count; j++) {
      product[i * count + j] = dot(a, i * width, b, j * width, width);
      product[(i + 1) * count + j] = dot(a, (i + 1) * width, b, j * width, width);
    }
  }
  for (; i < rows; i++) {
    for (let j = 0; j < count; j++) product[i * count + j] = dot(a, i * width, b, j * width, width);
  }
  return product;
}

/** A · Aᵀ for A [rows, width]: [rows, rows], half of it computed. */
export function gramMatrix(a: Float64Array, rows: number, width: number): Float64Array {
  const gram = new Float64Array(rows * rows);
  // Bands of rows against those up to their end.
  for (let start = 0; start < rows; start += BAND) {
    const end = Math.min(rows, start + BAND);
    const band = multiplyTransposed(a.subarray(start * width, end * width), end - start, a, end, width);
    for (let i = start, at = 0; i < end; i++) {
      for (let j = 0; j < end; j++, at++) gram[i * rows + j] = gram[j * rows + i] = band[at];
    }
  }
  return gram;
}

/** A · B for A [rows, inner] and B [inner, columns]: [rows, columns]. */
export function multiply(
  a: Float64Array,
  rows: number,
  b: Float64Array,
  inner: number,
  columns: number,
): Float64Array {
  const product = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    let k = 0;
    for (; k + 4 <= inner; k += 4) {
      const at = i * inner + k, w = a[at], x = a[at + 1], y = a[at + 2], z = a[at + 3];
      let from = k * columns, to = i * columns;
      for (const end = to + columns; to < end; to++, from++) {
        product[to] += (w * b[from] + x * b[from + columns]) +
          (y * b[from + 2 * columns] + z * b[from + 3 * columns]);
      }
    }
    for (; k < inner; k++) {
      const x = a[i * inner + k];
      for (let c = 0; c < columns; c++) product[i * columns + c] += x * b[k * columns + c];
    }
  }
  return product;
}

/** The transpose of A [rows, columns]. */
export function transpose(a: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = a[i * columns + j];
  }
  return result;
}

/** Inner product of a[i…] and b[j…]. */
function dot(a: Float64Array, i: number, b: Float64Array, j: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += a[i + c] * b[j + c];
  return sum;
}
