/**
 * Squared length of a row, in four sums, none of which has to wait for another. Of floats alone: a loop that has seen two kinds of arrays
 * is slower on both.
 *
 * @param start Where the row begins.
 */
export function squaredRow(rows: Float32Array, start: number, width: number): number {
  const whole = start + width - width % 4;
  let a = 0, b = 0, c = 0, d = 0;
  for (let at = start; at < whole; at += 4) {
    a += rows[at] * rows[at];
    b += rows[at + 1] * rows[at + 1];
    c += rows[at + 2] * rows[at + 2];
    d += rows[at + 3] * rows[at + 3];
  }
  for (let at = whole; at < start + width; at++) a += rows[at] * rows[at];
  return (a + b) + (c + d);
}
