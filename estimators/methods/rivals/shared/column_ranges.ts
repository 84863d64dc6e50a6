/** Least, largest and mean of each column of rows. */
export interface ColumnRanges {
  readonly least: Float32Array;
  readonly largest: Float32Array;
  readonly mean: Float64Array;
}

/** Looks at rows of `width` numbers. */
export function columnRanges(rows: Float32Array, width: number): ColumnRanges {
  const least = new Float32Array(width).fill(Infinity), largest = new Float32Array(width).fill(-Infinity);
  const mean = new Float64Array(width);
  for (let at = 0; at < rows.length;) {
    for (let c = 0; c < width; c++, at++) {
      least[c] = Math.min(least[c], rows[at]);
      largest[c] = Math.max(largest[c], rows[at]);
      mean[c] += rows[at] * width / rows.length;
    }
  }
  return { least, largest, mean };
}

/** Keeps rows within the ranges of the columns: no output of attention leaves those of the values. */
export function clipColumns(rows: Float32Array, { least, largest }: ColumnRanges): void {
  const width = least.length;
  for (let at = 0; at < rows.length;) {
    for (let c = 0; c < width; c++, at++) rows[at] = Math.min(largest[c], Math.max(least[c], rows[at]));
  }
}
