import type { Backend, DeviceArray, PartialAttention } from "../../kernels/backend.ts";
import type { Problem } from "./problem.ts";
import { headChunks, type Progress } from "./head_chunks.ts";

/** Output and row log-sum-exp of a problem, on the host. */
export interface HostAttention {
  /** [heads, queries, valueFeatures] */
  readonly output: Float32Array;
  /** [heads, queries]; EMPTY where no key is visible. */
  readonly logSumExp: Float32Array;
}

/**
 * Exact softmax attention of a whole problem. Heads go to the device together as far as its arrays allow; one
 * head that is too large for an array is cut along queries and keys, and the parts are merged.
 */
export async function exactAttention(
  backend: Backend,
  problem: Problem,
  progress: Progress = {},
): Promise<HostAttention> {
  const { heads, queries, valueFeatures } = problem;
  const output = new Float32Array(heads * queries * valueFeatures);
  const logSumExp = new Float32Array(heads * queries);
  const store = (row: number, [part, sums]: (Float32Array | Uint32Array)[]) => {
    output.set(part, row * valueFeatures);
    logSumExp.set(sums, row);
  };
  for (const { first, count, oversized } of headChunks(backend, problem, progress)) {
    if (oversized) {
      await attendInParts(backend, problem, first, progress, store);
    } else {
      const { query, key, value, logWeights } = uploadHeads(backend, problem, first, count);
      const { period, causalOffset } = problem;
      const causal = causalOffset === undefined ? undefined : { period, offset: causalOffset };
      const part = backend.attend({ ...problem, heads: count, query, key, value, logWeights, causal });
      store(first * queries, await backend.run([part.output, part.logSumExp], progress.signal));
    }
    backend.reset();
  }
  return { output, logSumExp };
}

/** Uploads the arrays of `count` heads from `first` on. */
export function uploadHeads(
  backend: Backend,
  problem: Problem,
  first: number,
  count: number,
): { query: DeviceArray; key: DeviceArray; value: DeviceArray; logWeights?: DeviceArray } {
  const { queries, keys, features, valueFeatures } = problem;
  const upload = (data: Float32Array, perHead: number) =>
    backend.upload(data.subarray(first * perHead, (first + count) * perHead));
  return {
    query: upload(problem.query, queries * features),
    key: upload(problem.key, keys * features),
    value: upload(problem.value, keys * valueFeatures),
    logWeights: problem.logWeights && upload(problem.logWeights, keys),
  };
}

/** One head whose arrays exceed the device's largest: tiles of queries × keys, merged along the keys. */
async function attendInParts(
  backend: Backend,
  problem: Problem,
  head: number,
  progress: Progress,
  store: (row: number, parts: (Float32Array | Uint32Array)[]) => void,
): Promise<void> {
  const { queries, keys, period, causalOffset, features, valueFeatures } = problem;
  const rows = Math.max(1, Math.floor(backend.largestArrayBytes / 4 / Math.max(features, valueFeatures)));
  const slice = (data: Float32Array, width: number, of: number, start: number, end: number) =>
    backend.upload(data.subarray((head * of + start) * width, (head * of + end) * width));
  for (const [queryStart, queryEnd] of ranges(queries, period, rows)) {
    const count = queryEnd - queryStart;
    const query = slice(problem.query, features, queries, queryStart, queryEnd);
    let merged: PartialAttention | undefined;
    for (const [keyStart, keyEnd] of ranges(keys, keys, rows)) {
      // Rows are counted from the start of their sequence, and keys from the start of their part.
      const offset = causalOffset === undefined ? undefined : causalOffset + queryStart % period - keyStart;
      const part = backend.attend({
        ...problem,
        heads: 1,
        queries: count,
        keys: keyEnd - keyStart,
        query,
        key: slice(problem.key, features, keys, keyStart, keyEnd),
        value: slice(problem.value, valueFeatures, keys, keyStart, keyEnd),
        logWeights: problem.logWeights && slice(problem.logWeights, 1, keys, keyStart, keyEnd),
        causal: offset === undefined ? undefined : { period: count, offset },
      });
      merged = merged
        ? backend.mergeAttention({ first: merged, second: part, heads: 1, queries: count, valueFeatures })
        : part;
    }
    store(
      head * queries + queryStart,
      await backend.run([merged!.output, merged!.logSumExp], progress.signal),
    );
    backend.reset();
  }
}

/** [0, count) in ranges of at most `size` that do not straddle a multiple of `period`. */
function* ranges(count: number, period: number, size: number): Generator<[number, number]> {
  for (let start = 0; start < count;) {
    const end = Math.min(count, start + size, (Math.floor(start / period) + 1) * period);
    yield [start, end];
    start = end;
  }
}
