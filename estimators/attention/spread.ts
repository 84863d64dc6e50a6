/** Rows looked at: enough for a scale, which they give to about a tenth. */
const MOST_ROWS = 64;

/** Root mean square distance of rows [count, width] from their mean, of at most 64 evenly spaced ones. */
export function spreadOf(rows: Float32Array, count: number, width: number): number {
  const taken = Math.min(count, MOST_ROWS);
  let spread = 0;
  for (let c = 0; c < width; c++) {
    const first = rows[c];
    let sum = 0, square = 0;
    for (let i = 0; i < taken; i++) {
      const x = rows[Math.floor(i * count / taken) * width + c] - first;
      sum += x;
      square += x * x;
    }
    spread += square / taken - (sum / taken) ** 2;
  }
  return Math.sqrt(Math.max(0, spread));
}
