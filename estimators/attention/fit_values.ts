import { calibrateValues } from "./calibrate_values.ts";
import { coresetOutput, coresetRows } from "./coreset.ts";
import { shrinkUseless } from "./shrink_useless.ts";

/** The points of one head, and what is known exactly of the queries that they are fitted to. */
export interface PointedHead {
  /** Points of the head, and the room that the arrays have for points. */
  readonly size: number;
  readonly most: number;
  /** [probes, most]: logits with the points; of the first omega.length probes, to fit to, then of those to test by. */
  readonly logits: Float32Array;
  /** [most, width] */
  readonly value: Float32Array;
  /** [probes, width]: exact attention of the probes. */
  readonly output: Float32Array;
  /** [width]: of the values. */
  readonly valueMean: Float32Array;
  /** [probes to fit to]: how much each counts. */
  readonly omega: Float64Array;
  /** Largest magnitude among the values of the keys. */
  readonly largestValue: number;
}

/**
 * Values for the points of one head, written over those that they have: calibrated, and shrunk towards the mean value if
 * that is of no use to probes that had no part in the fit. No point has a value beyond the largest there is, and outputs
 * are means of the values of points.
 */
export function fitValues(
  { size, most, logits, value, output, valueMean, omega, largestValue }: PointedHead,
): void {
  const width = valueMean.length, fitted = omega.length;
  const plain = centred(value.subarray(0, size * width), valueMean), exact = centred(output, valueMean);
  const rows = coresetRows(logits, most, size);
  const calibrated = calibrateValues(
    rows.subarray(0, fitted * size),
    plain,
    exact.subarray(0, fitted * width),
    omega,
  );
  if (calibrated) limitValues(calibrated, valueMean, largestValue);
  const values = calibrated ?? plain;
  const predicted = coresetOutput(rows.subarray(fitted * size), values, size);
  const factor = shrinkUseless(predicted, exact.subarray(fitted * width), width);
  for (let at = 0; at < values.length;) {
    for (let c = 0; c < width; c++, at++) value[at] = factor * values[at] + valueMean[c];
  }
}

/** Keeps the entries of centred values [size, width], with their mean [width] added, within ±largest, in place. */
export function limitValues(values: Float64Array, mean: Float32Array, largest: number): void {
  for (let at = 0; at < values.length;) {
    for (let c = 0; c < mean.length; c++, at++) {
      values[at] = Math.min(largest - mean[c], Math.max(-largest - mean[c], values[at]));
    }
  }
}

function centred(rows: Float32Array, mean: Float32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let at = 0; at < rows.length;) {
    for (let c = 0; c < mean.length; c++, at++) values[at] = rows[at] - mean[c];
  }
  return values;
}
