const ROUNDS = 40;

/** ‖rows‖_F² and a lower bound on ‖rows‖_op², close to it after 40 rounds of power iteration. */
export function matrixNorms(
  rows: Float32Array,
  width: number,
): { frobeniusSquared: number; operatorSquared: number } {
  let frobeniusSquared = 0;
  for (const value of rows) frobeniusSquared += value * value;
  const count = rows.length / width;
  // The longest row's direction: it lies in the row space, so it cannot miss everything.
  let direction = Float64Array.from(rows.subarray(longestRow(rows, width) * width).subarray(0, width));
  let operatorSquared = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const length = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    if (length === 0) return { frobeniusSquared, operatorSquared: 0 };
    const next = new Float64Array(width);
    operatorSquared = 0;
    for (let row = 0; row < count; row++) {
      let image = 0;
      for (let c = 0; c < width; c++) image += rows[row * width + c] * (direction[c] / length);
      operatorSquared += image * image;
      for (let c = 0; c < width; c++) next[c] += image * rows[row * width + c];
    }
    direction = next;
  }
  return { frobeniusSquared, operatorSquared };
}

function longestRow(rows: Float32Array, width: number): number {
  let longest = 0, most = -1;
  for (let row = 0; row * width < rows.length; row++) {
    let norm = 0;
    for (let c = 0; c < width; c++) norm += rows[row * width + c] ** 2;
    if (norm > most) [most, longest] = [norm, row];
  }
  return longest;
}
