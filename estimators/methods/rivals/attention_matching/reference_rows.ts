import type { Backend } from "../../../../kernels/backend.ts";
import type { RandomStream } from "../../../../kernels/random.ts";
import type { Problem } from "../../../core/problem.ts";
import { pickRows } from "../../../linear_algebra/pick_rows.ts";
import type { Head } from "../shared/each_head.ts";

/** Exact rows of some queries of a head: what few keys are fitted to. */
export interface ReferenceRows {
  readonly count: number;
  readonly keys: number;
  /** [count, keys]: e^(logit − largest logit of the row). */
  readonly powers: Float32Array;
  /** [count]: their sums. */
  readonly sums: Float64Array;
  /** [count, valueFeatures]: exact outputs. */
  readonly output: Float32Array;
}

/** Attends exactly to all keys for `count` queries, drawn without replacement, on the device. */
export async function referenceRows(
  backend: Backend,
  { queries, keys, features, valueFeatures, scale }: Problem,
  { query, key, value }: Head,
  count: number,
  random: RandomStream,
  signal?: AbortSignal,
): Promise<ReferenceRows> {
  const drawn = pickRows(query, features, random.distinct(count, queries));
  const found = backend.attendProbes({
    ...{ heads: 1, queries: count, keys, features, valueFeatures, scale },
    query: backend.upload(drawn),
    key: backend.upload(key),
    value: backend.upload(value),
  });
  const results = await backend.run([found.output, found.probabilities], signal);
  backend.reset();
  const [output, powers] = results as Float32Array[], sums = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const own = powers.subarray(row * keys, (row + 1) * keys);
    let largest = 0;
    for (const share of own) largest = Math.max(largest, share);
    for (let j = 0; j < keys; j++) {
      own[j] /= largest;
      sums[row] += own[j];
    }
  }
  return { count, keys, powers, sums, output };
}

/** The powers of one key in all rows. */
export function powersOf({ count, keys, powers }: ReferenceRows, key: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => powers[row * keys + key]);
}
