/**
 * Products a·bᵀ in float64, the one kernel of this model: [rows, inner] × [columns, inner] -> [rows, columns].
 * Tiles of 4 × 4 keep sixteen sums in registers for eight loads.
 */
export function productTransposed(
  a: Float64Array,
  b: Float64Array,
  { rows, columns, inner }: { rows: number; columns: number; inner: number },
): Float64Array {
  const out = new Float64Array(rows * columns);
  const tiledRows = rows - rows % 4, tiledColumns = columns - columns % 4;
  for (let i = 0; i < tiledRows; i += 4) {
    for (let j = 0; j < tiledColumns; j += 4) tile(out, a, b, i, j, columns, inner);
  }
  for (let i = 0; i < rows; i++) {
    for (let j = i < tiledRows ? tiledColumns : 0; j < columns; j++) {
      let sum = 0;
      for (let t = 0; t < inner; t++) sum += a[i * inner + t] * b[j * inner + t];
      out[i * columns + j] = sum;
    }
  }
  return out;
}

function tile(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  i: number,
  j: number,
  columns: number,
  inner: number,
): void {
  let a0 = i * inner, a1 = a0 + inner, a2 = a1 + inner, a3 = a2 + inner;
  let b0 = j * inner, b1 = b0 + inner, b2 = b1 + inner, b3 = b2 + inner;
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
  for (const end = a1; a0 < end;) {
    const x0 = a[a0++], x1 = a[a1++], x2 = a[a2++], x3 = a[a3++];
    const y0 = b[b0++], y1 = b[b1++], y2 = b[b2++], y3 = b[b3++];
    s00 += x0 * y0, s01 += x0 * y1, s02 += x0 * y2, s03 += x0 * y3;
    s10 += x1 * y0, s11 += x1 * y1, s12 += x1 * y2, s13 += x1 * y3;
    s20 += x2 * y0, s21 += x2 * y1, s22 += x2 * y2, s23 += x2 * y3;
    s30 += x3 * y0, s31 += x3 * y1, s32 += x3 * y2, s33 += x3 * y3;
  }
  const o0 = i * columns + j, o1 = o0 + columns, o2 = o1 + columns, o3 = o2 + columns;
  out[o0] = s00, out[o0 + 1] = s01, out[o0 + 2] = s02, out[o0 + 3] = s03;
  out[o1] = s10, out[o1 + 1] = s11, out[o1 + 2] = s12, out[o1 + 3] = s13;
  out[o2] = s20, out[o2 + 1] = s21, out[o2 + 2] = s22, out[o2 + 3] = s23;
  out[o3] = s30, out[o3 + 1] = s31, out[o3 + 2] = s32, out[o3 + 3] = s33;
}

/** The transpose of [rows, columns] values. */
export function transpose(values: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j];
  }
  return out;
}
