/** Values about their mean, which is to be put back into what is made of them, so that constants stay what they are in several steps. */
export interface CentredValues {
  /** [keys, width] */
  readonly rows: Float32Array;
  /** [width] */
  readonly mean: Float32Array;
}

/** Takes the mean off the values of one head, [keys, width]. */
export function centreValues(value: Float32Array, width: number): CentredValues {
  const keys = value.length / width, sums = new Float64Array(width);
  // From the first row on, so that the mean of a constant is the constant.
  for (let at = 0; at < value.length; at++) sums[at % width] += value[at] - value[at % width];
  const mean = Float32Array.from(sums, (sum, c) => value[c] + sum / keys);
  return { rows: value.map((x, at) => x - mean[at % width]), mean };
}

/** Puts the mean back into rows of outputs. */
export function addMean(output: Float32Array, { mean }: CentredValues): void {
  for (let at = 0; at < output.length; at++) output[at] += mean[at % mean.length];
}
