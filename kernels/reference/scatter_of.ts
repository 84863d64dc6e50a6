/** Σ w ‖y − ȳ‖² over the rows [begin, end), whose weights begin at `offset`. */
export function scatterOf(
  rows: Float64Array,
  weights: Float64Array,
  offset: number,
  begin: number,
  end: number,
  width: number,
): number {
  let mass = 0, scatter = 0;
  for (let j = begin; j < end; j++) mass += weights[offset + j];
  if (mass === 0) return 0;
  for (let c = 0; c < width; c++) {
    let mean = 0;
    for (let j = begin; j < end; j++) mean += weights[offset + j] * rows[j * width + c];
    mean /= mass;
    for (let j = begin; j < end; j++) scatter += weights[offset + j] * (rows[j * width + c] - mean) ** 2;
  }
  return scatter;
}
