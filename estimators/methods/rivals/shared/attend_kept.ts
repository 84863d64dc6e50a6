import type { Backend } from "../../../../kernels/backend.ts";
import type { HostAttention } from "../../../core/exact.ts";
import type { Problem } from "../../../core/problem.ts";

/** Weighted keys that stand for all keys of a head. */
export interface KeptKeys {
  /** [count, features] */
  readonly key: Float32Array;
  /** [count, valueFeatures] */
  readonly value: Float32Array;
  /** [count]: logarithms of their weights. */
  readonly logWeights: Float32Array;
}

/** Softmax of all queries of a head over the few keys that are kept, on the device. */
export async function attendKept(
  backend: Backend,
  { queries, features, valueFeatures, scale }: Problem,
  query: Float32Array,
  { key, value, logWeights }: KeptKeys,
  signal?: AbortSignal,
): Promise<HostAttention> {
  const part = backend.attend({
    ...{ heads: 1, queries, keys: logWeights.length, features, valueFeatures, scale },
    query: backend.upload(query),
    key: backend.upload(key),
    value: backend.upload(value),
    logWeights: backend.upload(logWeights),
  });
  const [output, logSumExp] = await backend.run([part.output, part.logSumExp], signal) as Float32Array[];
  return { output, logSumExp };
}
