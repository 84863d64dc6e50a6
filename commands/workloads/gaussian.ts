import { tensor } from "../../kernels/tensor.ts";
import { normalValues } from "./normal_values.ts";
import type { CheckedOptions, Workload } from "./workload.ts";

const FEATURES = 64;

/**
 * Independent standard normal queries, keys and values, 64 features: no structure at all, so the stable rank
 * of the softmax matrix is high and the output nearly the mean of the values.
 */
export function gaussian(name: string, { n = 4096, batch, seed }: CheckedOptions): Workload {
  return {
    name,
    ...independentNormals({ seed, batch, queries: n, keys: n, features: FEATURES, valueFeatures: FEATURES }),
    scale: 1 / Math.sqrt(FEATURES),
    description: `independent standard normal values, ${n} × ${FEATURES}`,
  };
}

/** Normal queries, keys and values; draw b does not depend on how many draws there are. */
export function independentNormals(
  { seed, batch, queries, keys, features, valueFeatures, deviation = 1 }: {
    readonly seed: number;
    readonly batch: number;
    readonly queries: number;
    readonly keys: number;
    readonly features: number;
    readonly valueFeatures: number;
    /** Standard deviation of queries and keys; that of values is 1. */
    readonly deviation?: number;
  },
): Pick<Workload, "query" | "key" | "value"> {
  const draw = (role: number, rows: number, columns: number, deviation: number) => {
    const data = new Float32Array(batch * rows * columns);
    for (let b = 0; b < batch; b++) {
      const stream = STREAMS * b + role;
      data.set(normalValues(rows * columns, { seed, stream, deviation }), b * rows * columns);
    }
    return tensor(data, [batch, rows, columns]);
  };
  return {
    query: draw(0, queries, features, deviation),
    key: draw(1, keys, features, deviation),
    value: draw(2, keys, valueFeatures, 1),
  };
}

/** Streams of the generator that each draw has to itself. */
export const STREAMS = 8;
