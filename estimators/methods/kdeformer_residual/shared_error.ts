/** What the rows of a sampled attention have in common in error: see {@link sharedError}. */
export interface SharedError {
  /** [valueFeatures]: what a unit of sampled mass lacks of the weighted values. */
  readonly value: Float64Array;
  /** What a unit of sampled mass lacks of mass. */
  readonly mass: number;
}

/** One row whose exact answer is known. */
export interface ProbedRow {
  /** Mass that the sample gives the row. */
  readonly sampledMass: number;
  /** [valueFeatures + 1]: exact minus sampled, of the weighted values and then of the mass. */
  readonly error: Float64Array;
}

/** The mass is never corrected by more than half. */
const MOST_MASS = 0.5;

/**
 * All rows share one sample of keys, so their errors point the same way, and it is this part that the operator norm sees. It is
 * measured on rows whose exact answers are known: the least-squares c in error_i ≈ mass_i · c. How far to follow it is decided by
 * how well each row's error is foretold by the others: the factor in [0, 1] with the least squared error left.
 */
export function sharedError(rows: readonly ProbedRow[]): SharedError {
  const width = rows.length > 0 ? rows[0].error.length : 1;
  const sum = new Float64Array(width);
  let squaredMass = 0;
  for (const { sampledMass, error } of rows) {
    squaredMass += sampledMass ** 2;
    for (let c = 0; c < width; c++) sum[c] += sampledMass * error[c];
  }
  let agreement = 0, size = 0;
  for (const { sampledMass, error } of rows) {
    const others = squaredMass - sampledMass ** 2;
    if (!(others > 1e-12 * squaredMass)) continue;
    for (let c = 0; c < width; c++) {
      const foretold = sampledMass * (sum[c] - sampledMass * error[c]) / others;
      agreement += foretold * error[c];
      size += foretold ** 2;
    }
  }
  const factor = size > 0 ? Math.min(1, Math.max(0, agreement / size)) : 0;
  const shared = sum.map((x) => factor > 0 ? factor * x / squaredMass : 0);
  return {
    value: shared.slice(0, width - 1),
    mass: Math.min(MOST_MASS, Math.max(-MOST_MASS, shared[width - 1])),
  };
}
