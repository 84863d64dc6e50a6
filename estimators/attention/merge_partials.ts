import { formatValue } from "../../kernels/format_value.ts";
import { formatShape, readTensor, sizeOf } from "../../kernels/tensor.ts";
import { largestMagnitude } from "../../kernels/wasm/largest_magnitude.ts";
import { placeOf } from "../core/magnitude.ts";
import type { PartialResult } from "./partial.ts";

/**
 * Joins partial results over disjoint keys into the result over all of them: exact up to rounding, whatever the sizes of the
 * sums. Rows that see no key in any part stay empty.
 *
 * @throws {TypeError} If there are none, or one is no partial result, or their shapes differ.
 * @throws {RangeError} If an output is not finite, or a log-sum-exp neither finite nor −Infinity.
 */
export function mergePartials(partials: readonly PartialResult[]): PartialResult {
  const parts = checkPartials(partials);
  const { shape } = parts[0].output, width = shape[shape.length - 1], rows = sizeOf(shape) / width;
  const output = new Float32Array(rows * width), logSumExp = new Float32Array(rows);
  const mean = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    const largest = parts.reduce((most, part) => Math.max(most, part.logSumExp.data[row]), -Infinity);
    logSumExp[row] = largest;
    if (largest === -Infinity) continue;
    let total = 0;
    mean.fill(0);
    for (const part of parts) {
      const weight = Math.exp(part.logSumExp.data[row] - largest);
      total += weight;
      for (let c = 0; c < width; c++) mean[c] += weight * part.output.data[row * width + c];
    }
    logSumExp[row] = largest + Math.log(total);
    for (let c = 0; c < width; c++) output[row * width + c] = mean[c] / total;
  }
  return { output: { data: output, shape }, logSumExp: { data: logSumExp, shape: shape.slice(0, -1) } };
}

function checkPartials(partials: unknown): PartialResult[] {
  if (!Array.isArray(partials)) {
    throw new TypeError(
      `Cannot merge: partials must be an array of partial results: current value is ${formatValue(partials)}`,
    );
  }
  if (partials.length === 0) {
    throw new TypeError("Cannot merge: there must be at least one partial result in partials");
  }
  const parts = Array.from(partials, checkPartial), { shape } = parts[0].output;
  for (const { output } of parts) {
    if (String(output.shape) !== String(shape)) {
      throw new TypeError(
        `Cannot merge: outputs must have one shape: ${formatShape(shape)} and ${formatShape(output.shape)}`,
      );
    }
  }
  return parts;
}

function checkPartial(given: unknown, index: number): PartialResult {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      `Cannot merge: partials must be partial results: partials[${index}] is ${formatValue(given)}`,
    );
  }
  const partial = given as Partial<PartialResult>, name = `partials[${index}]`;
  const output = readTensor(`${name}.output`, partial.output);
  const logSumExp = readTensor(`${name}.logSumExp`, partial.logSumExp);
  if (output.shape.length < 2 || String(output.shape.slice(0, -1)) !== String(logSumExp.shape)) {
    throw new TypeError(
      `Cannot merge: ${name}.output must have the shape of logSumExp and one dimension more: output is ${
        formatShape(output.shape)
      }, logSumExp is ${formatShape(logSumExp.shape)}`,
    );
  }
  if (!(largestMagnitude(output.data) < Infinity)) {
    const at = output.data.findIndex((x) => !Number.isFinite(x));
    throw new RangeError(
      `Cannot merge: ${name}.output must be finite: ${placeOf(output.shape, at)} is ${output.data[at]}`,
    );
  }
  const bad = logSumExp.data.findIndex((x) => !(x < Infinity));
  if (bad !== -1) {
    throw new RangeError(
      `Cannot merge: ${name}.logSumExp must be finite, or -Infinity where no key is seen: entry ${bad} is ${
        logSumExp.data[bad]
      }`,
    );
  }
  return { output, logSumExp };
}
