import type { Backend, DeviceArray, PartialAttention } from "../../kernels/backend.ts";
import type { Problem } from "./problem.ts";
import { headChunks, type Progress } from "./head_chunks.ts";
import { withoutHiddenKeys } from "./hidden_keys.ts";

/** Output and row log-sum-exp of a problem, on the host. */
export interface HostAttention {
  /** [heads, queries, valueFeatures] */
  readonly output: Float32Array;
  /** [heads, queries]; EMPTY where no key is visible. */
  readonly logSumExp: Float32Array;
}

/**
 * Exact softmax attention of a whole problem. Heads go to the device together as far as its arrays allow; one
 * head that is too large for an array is cut along queries and keys, and the parts are merged. Keys that a mask hides are
 * taken out where they are many.
 */
export async function exactAttention(
  backend: Backend,
  problem: Problem,
  progress: Progress = {},
): Promise<HostAttention> {
  const parts = new PartCollector(), left = withoutHiddenKeys(problem);
  for (const part of left ?? []) {
    const { output, logSumExp } = await exactAttention(backend, part, { signal: progress.signal });
    parts.add([output, logSumExp]);
  }
  if (left) return parts.result();
  for (const { first, count, oversized } of headChunks(backend, problem, progress)) {
    if (oversized) {
      await attendInParts(backend, problem, first, progress, parts);
    } else {
      const { query, key, value, logWeights } = uploadHeads(backend, problem, first, count);
      const { period, causalOffset } = problem;
      const causal = causalOffset === undefined ? undefined : { period, offset: causalOffset };
      const part = backend.attend({ ...problem, heads: count, query, key, value, logWeights, causal });
      parts.add(await backend.run([part.output, part.logSumExp], progress.signal));
    }
    backend.reset();
  }
  return parts.result();
}

/** Results of consecutive heads and rows, in order; a single part is passed on without a copy. */
export class PartCollector {
  readonly #outputs: Float32Array[] = [];
  readonly #sums: Float32Array[] = [];

  /** Takes output and log-sum-exp of the next rows. */
  add([output, sums]: (Float32Array | Uint32Array)[]): void {
    this.#outputs.push(output as Float32Array);
    this.#sums.push(sums as Float32Array);
  }

  /** Everything taken. */
  result(): HostAttention {
    return { output: join(this.#outputs), logSumExp: join(this.#sums) };
  }
}

function join(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
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
  parts: PartCollector,
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
    parts.add(await backend.run([merged!.output, merged!.logSumExp], progress.signal));
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
