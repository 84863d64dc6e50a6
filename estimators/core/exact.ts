import type { Backend, DeviceArray } from "../../kernels/backend.ts";
import type { Problem } from "./problem.ts";
import { withoutHiddenKeys } from "./hidden_keys.ts";
import { halfParts } from "./half_parts.ts";
import { mergeRows } from "./merge_rows.ts";
import { headChunks, type Progress, submissionBytes } from "./head_chunks.ts";

/** Output and row log-sum-exp of a problem, on the host. */
export interface HostAttention {
  /** [heads, queries, valueFeatures] */
  readonly output: Float32Array;
  /** [heads, queries]; EMPTY where no key is visible. */
  readonly logSumExp: Float32Array;
}

/**
 * Exact softmax attention of a whole problem. Heads go to the device together as far as its arrays and its memory allow; one
 * head that is too large for them is cut along queries and keys, and the parts are merged. Keys that a mask hides are taken
 * out where they are many.
 */
export async function exactAttention(
  backend: Backend,
  problem: Problem,
  progress: Progress = {},
): Promise<HostAttention> {
  const left = withoutHiddenKeys(problem), parts = new PartCollector();
  for (const part of left ?? []) {
    const { output, logSumExp } = await exactAttention(backend, part, { signal: progress.signal });
    parts.add([output, logSumExp]);
  }
  if (left) return parts.result();
  while (true) {
    const { memoryBytes } = backend;
    try {
      return await attendUnits(backend, problem, progress);
    } catch (error) {
      // A device that turned out to have less memory than it was taken for gets smaller parts.
      if (backend.memoryBytes === memoryBytes) throw error;
      backend.reset();
    }
  }
}

/** Heads whose half floats may not share a unit go one after the other. */
async function attendUnits(backend: Backend, problem: Problem, progress: Progress): Promise<HostAttention> {
  const parts = new PartCollector();
  const cut = problem.halves ? halfParts(problem) : [{ problem, factor: 1 }];
  for (const { problem: part, factor } of cut) {
    const own = new PartCollector();
    await attendHeads(backend, part, progress, own);
    const { output, logSumExp } = own.result();
    parts.add([factor === 1 ? output : output.map((x) => x / factor), logSumExp]);
  }
  return parts.result();
}

/** All heads of a problem that may share a unit, if they go to half floats. */
async function attendHeads(
  backend: Backend,
  problem: Problem,
  progress: Progress,
  parts: PartCollector,
): Promise<void> {
  const isTooLarge = headBytes(problem) > submissionBytes(backend);
  for (const { first, count, oversized } of headChunks(backend, problem, progress)) {
    if (oversized || isTooLarge) {
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

/** Bytes of a query row with its output, and of a key row with its value, which devices copy as their kernels read them. */
function rowBytes({ features, valueFeatures }: Problem): { query: number; key: number } {
  return { query: 4 * (features + valueFeatures + 1), key: 8 * (features + valueFeatures + 1) };
}

/** Bytes that one head takes on a device. */
function headBytes(problem: Problem): number {
  const { query, key } = rowBytes(problem);
  return problem.queries * query + problem.keys * key;
}

/** One head that exceeds the device's largest array or its memory: tiles of queries × keys, merged along the keys. */
async function attendInParts(
  backend: Backend,
  problem: Problem,
  head: number,
  { signal }: Progress,
  parts: PartCollector,
): Promise<void> {
  const { queries, keys, period, causalOffset, features, valueFeatures } = problem;
  const rows = rowsOfPart(backend, problem);
  const slice = (data: Float32Array, width: number, of: number, start: number, end: number) =>
    backend.upload(data.subarray((head * of + start) * width, (head * of + end) * width));
  for (const [queryStart, queryEnd] of ranges(queries, period, rows.query)) {
    const count = queryEnd - queryStart;
    let merged: HostAttention | undefined;
    for (const [keyStart, keyEnd] of ranges(keys, keys, rows.key)) {
      // Rows are counted from the start of their sequence, and keys from the start of their part.
      const offset = causalOffset === undefined ? undefined : causalOffset + queryStart % period - keyStart;
      const part = backend.attend({
        ...problem,
        heads: 1,
        queries: count,
        keys: keyEnd - keyStart,
        query: slice(problem.query, features, queries, queryStart, queryEnd),
        key: slice(problem.key, features, keys, keyStart, keyEnd),
        value: slice(problem.value, valueFeatures, keys, keyStart, keyEnd),
        logWeights: problem.logWeights && slice(problem.logWeights, 1, keys, keyStart, keyEnd),
        causal: offset === undefined ? undefined : { period: count, offset },
      });
      const [output, logSumExp] = await backend.run([part.output, part.logSumExp], signal) as Float32Array[];
      backend.reset();
      if (merged) mergeRows(merged, { output, logSumExp }, valueFeatures);
      else merged = { output, logSumExp };
    }
    parts.add([merged!.output, merged!.logSumExp]);
  }
}

/** Rows of queries and of keys of one part: what the longest array and the memory of the device take. */
function rowsOfPart(backend: Backend, problem: Problem): { query: number; key: number } {
  const bytes = rowBytes(problem), perArray = 4 * Math.max(problem.features, problem.valueFeatures);
  const rows = (each: number) =>
    Math.max(
      1,
      Math.floor(Math.min(backend.largestArrayBytes / perArray, submissionBytes(backend) / 2 / each)),
    );
  return { query: rows(bytes.query), key: rows(bytes.key) };
}

/** By how much the memory of a device may turn out to be less than it was taken for before a bound on merges is wrong. */
const SPARE_MEMORY = 4;

/** How often `exactAttention` merges parts of the keys of one head at most: not at all where the head fits with ease. */
export function mergesOfKeys(backend: Backend, problem: Problem): number {
  return Math.max(0, Math.ceil(SPARE_MEMORY * problem.keys / rowsOfPart(backend, problem).key) - 1);
}

/** [0, count) in ranges of at most `size` that do not straddle a multiple of `period`. */
function* ranges(count: number, period: number, size: number): Generator<[number, number]> {
  for (let start = 0; start < count;) {
    const end = Math.min(count, start + size, (Math.floor(start / period) + 1) * period);
    yield [start, end];
    start = end;
  }
}
