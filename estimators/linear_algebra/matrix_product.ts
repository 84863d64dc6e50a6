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
  return accumulate(a, inner, 1, rows, b, inner, columns);
}

/** Aᵀ · B for A [inner, rows] and B [inner, columns]: [rows, columns]. */
export function multiplyFirstTransposed(
  a: Float64Array,
  rows: number,
  b: Float64Array,
  inner: number,
  columns: number,
): Float64Array {
  return accumulate(a, 1, rows, rows, b, inner, columns);
}

/**
 * Σ_k a[i · step + k · stride] b_k for each row i. Four rows of B at a time, since a sum in memory waits for itself, and two
 * rows of the product, which share what is loaded of B.
 */
function accumulate(
  a: Float64Array,
  step: number,
  stride: number,
  rows: number,
  b: Float64Array,
  inner: number,
  columns: number,
): Float64Array {
  const product = new Float64Array(rows * columns);
  let i = 0;
  for (; i + 2 <= rows; i += 2) {
    let k = 0, at = i * step;
    for (; k + 4 <= inner; k += 4, at += 4 * stride) {
      const w = a[at], x = a[at + stride], y = a[at + 2 * stride], z = a[at + 3 * stride];
      const below = at + step, w2 = a[below], x2 = a[below + stride];
      const y2 = a[below + 2 * stride], z2 = a[below + 3 * stride];
      let from = k * columns, to = i * columns;
      for (const end = to + columns; to < end; to++, from++) {
        const p = b[from], q = b[from + columns], r = b[from + 2 * columns], s = b[from + 3 * columns];
        product[to] += (w * p + x * q) + (y * r + z * s);
        product[to + columns] += (w2 * p + x2 * q) + (y2 * r + z2 * s);
      }
    }
    addRest(product, i, a, at, stride, b, k, inner, columns);
    addRest(product, i + 1, a, at + step, stride, b, k, inner, columns);
  }
  if (i < rows) addRest(product, i, a, i * step, stride, b, 0, inner, columns);
  return product;
}

/** Adds the terms from k on to row i of a product. */
function addRest(
  product: Float64Array,
  i: number,
  a: Float64Array,
  at: number,
  stride: number,
  b: Float64Array,
  k: number,
  inner: number,
  columns: number,
): void {
  for (; k < inner; k++, at += stride) {
    const x = a[at];
    for (let c = 0; c < columns; c++) product[i * columns + c] += x * b[k * columns + c];
  }
}

/** Inner product of a[i…] and b[j…]. */
function dot(a: Float64Array, i: number, b: Float64Array, j: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += a[i + c] * b[j + c];
  return sum;
}
