/** Copies of the picked rows, each of `width` values. */
export function pickRows(rows: Float32Array, width: number, picks: ArrayLike<number>): Float32Array {
  const picked = new Float32Array(picks.length * width);
  for (let at = 0; at < picks.length; at++) {
    picked.set(rows.subarray(picks[at] * width, (picks[at] + 1) * width), at * width);
  }
  return picked;
}
