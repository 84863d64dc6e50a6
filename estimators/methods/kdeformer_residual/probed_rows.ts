import { blockStart } from "../../../kernels/partition.ts";
import type { KeySample } from "./residual_sample.ts";
import { type ProbedRow, type SharedError, sharedError } from "./shared_error.ts";

/** Some queries of one head whose softmax rows and outputs are known exactly, and the blocks that they and the keys are in. */
export interface ProbedRows {
  readonly keys: number;
  readonly valueFeatures: number;
  readonly blocks: number;
  /** [probes, keys] */
  readonly probabilities: Float32Array;
  /** [probes, valueFeatures]: exact attention to the centred values. */
  readonly outputs: Float32Array;
  /** [probes]: the block of each. */
  readonly probeBlocks: Uint32Array;
  /** [keys]: the block of each. */
  readonly keyBlocks: Uint32Array;
  /** [keys]: the keys in the order of their blocks. */
  readonly keyOrder: Uint32Array;
  /** [keys, valueFeatures] */
  readonly value: Float32Array;
  /** [valueFeatures]: the mean of the values, subtracted to centre them. */
  readonly mean: Float32Array;
  /** [keys]: √(‖v_l‖² + mean ‖v‖²) of the centred values over its sum. */
  readonly valueShare: Float32Array;
}

/** What sampling follows: column norms of the residual, norms of the values, and a floor under both. */
const COLUMN_SHARE = 0.75, VALUE_SHARE = 0.15, UNIFORM_SHARE = 0.1;

/**
 * How much each key of a head deserves to be sampled: in the place of ‖p_l‖·‖v_l‖ of approximate matrix products stands the norm
 * of the column outside the key's own block, √Σ_i P_il² over probed rows i, times √(‖v_l‖² + mean ‖v‖²), which keeps in mind that the
 * key enters the denominator too. Columns that are 0 everywhere count as even.
 */
export function residualImportance(known: ProbedRows): Float64Array {
  const { keys, probabilities, probeBlocks, keyBlocks, valueShare } = known;
  const column = new Float64Array(keys);
  for (let probe = 0; probe < probeBlocks.length; probe++) {
    const block = probeBlocks[probe], start = probe * keys;
    for (let l = 0; l < keys; l++) {
      if (keyBlocks[l] !== block) column[l] += probabilities[start + l] ** 2;
    }
  }
  let total = 0;
  for (let l = 0; l < keys; l++) total += column[l] = valueShare[l] * Math.sqrt(column[l]);
  return column.map((norm, l) =>
    COLUMN_SHARE * (total > 0 ? norm / total : 1 / keys) + VALUE_SHARE * valueShare[l] + UNIFORM_SHARE / keys
  );
}

/** The error that a sample of the residual makes on the probed rows, as far as they share it. */
export function sampleError(known: ProbedRows, { index, weights }: KeySample): SharedError {
  const { keys, valueFeatures, blocks, probabilities, outputs, probeBlocks, keyBlocks, keyOrder } = known;
  const rows = Array.from(probeBlocks, (block, probe): ProbedRow => {
    const row = probabilities.subarray(probe * keys, (probe + 1) * keys);
    const error = new Float64Array(valueFeatures + 1);
    error.set(outputs.subarray(probe * valueFeatures, (probe + 1) * valueFeatures));
    error[valueFeatures] = 1;
    const end = blockStart(block + 1, keys, blocks);
    for (let at = blockStart(block, keys, blocks); at < end; at++) {
      subtractKey(error, known, keyOrder[at], row[keyOrder[at]]);
    }
    let sampledMass = 0;
    for (let at = 0; at < index.length; at++) {
      const key = index[at], mass = weights[at] * row[key];
      if (keyBlocks[key] === block) continue;
      sampledMass += mass;
      subtractKey(error, known, key, mass);
    }
    return { sampledMass, error };
  });
  return sharedError(rows);
}

/** Takes a key with some mass away from weighted values and mass. */
function subtractKey(
  from: Float64Array,
  { value, mean, valueFeatures }: ProbedRows,
  key: number,
  mass: number,
): void {
  const start = key * valueFeatures;
  for (let c = 0; c < valueFeatures; c++) from[c] -= mass * (value[start + c] - mean[c]);
  from[valueFeatures] -= mass;
}
