import { type AttendArguments, type Backend, EMPTY, MASKED } from "../kernels/backend.ts";
import { blockOf, blockStart } from "../kernels/partition.ts";
import { floatValues } from "../kernels/reference/array.ts";
import { ReferenceBackend } from "../kernels/reference/backend.ts";
import { assertPrecise, sumInBlocks } from "./precision.ts";

const f = Math.fround;

/** Host-side arguments of an attention problem. */
export type HostAttend =
  & Omit<AttendArguments, DeviceArrays | "exclude" | "samples" | "bounds">
  & { query: Float32Array; key: Float32Array; value: Float32Array; logWeights?: Float32Array }
  & { queryOrder?: Uint32Array; keyOrder?: Uint32Array }
  & { exclude?: { keyBlocks: Uint32Array; blocks: number } }
  & { bounds?: { positions: Uint32Array; mostQueries: number; mostKeys: number } }
  & { samples?: { count: number; index: Uint32Array; logWeights: Float32Array; position: Uint32Array } };

type DeviceArrays = "query" | "key" | "value" | "logWeights" | "queryOrder" | "keyOrder";

/** The arguments with every array uploaded. */
export function uploadAttend(backend: Backend, args: HostAttend): AttendArguments {
  const up = (data: Float32Array | Uint32Array) => backend.upload(data);
  const { exclude, samples, bounds } = args;
  return {
    ...args,
    query: up(args.query),
    key: up(args.key),
    value: up(args.value),
    logWeights: args.logWeights && up(args.logWeights),
    queryOrder: args.queryOrder && up(args.queryOrder),
    keyOrder: args.keyOrder && up(args.keyOrder),
    exclude: exclude && { ...exclude, keyBlocks: up(exclude.keyBlocks) },
    bounds: bounds && { ...bounds, positions: up(bounds.positions) },
    samples: samples && {
      count: samples.count,
      index: up(samples.index),
      logWeights: up(samples.logWeights),
      position: up(samples.position),
    },
  };
}

/** Attends on a backend and returns output and log-sum-exp. */
export async function attendOn(
  backend: Backend,
  args: HostAttend,
): Promise<(Float32Array | Uint32Array)[]> {
  const { output, logSumExp } = backend.attend(uploadAttend(backend, args));
  const result = await backend.run([output, logSumExp]);
  backend.reset();
  return result;
}

/** Fails unless a backend attends within the precision rule. */
export async function checkAttend(backend: Backend, args: HostAttend, what: string): Promise<void> {
  const reference = new ReferenceBackend(), exact = reference.attend(uploadAttend(reference, args));
  const plain = plainAttention(args);
  const [output, logSumExp] = await attendOn(backend, args);
  assertPrecise(output, plain.output, floatValues(exact.output), `${what}: output`);
  assertPrecise(logSumExp, plain.logSumExp, floatValues(exact.logSumExp), `${what}: log-sum-exp`);
}

/** The plain formula, every operation rounded to f32 and sums in blocks: what a kernel's error is measured against. */
export function plainAttention(args: HostAttend): { output: Float32Array; logSumExp: Float32Array } {
  const { heads, queries, features, valueFeatures, scale, queryOrder } = args;
  const output = new Float32Array(heads * queries * valueFeatures);
  const logSumExp = new Float32Array(heads * queries).fill(EMPTY);
  for (let at = 0; at < heads * queries; at++) {
    const head = Math.floor(at / queries), row = queryOrder ? head * queries + queryOrder[at] : at;
    const visible = visibleKeys(args, head, at % queries);
    const logits = visible.map(({ row: keyRow, added }) => {
      const sum = sumInBlocks((t) => {
        const own = args.query[row * features + t], other = args.key[keyRow * features + t];
        return args.distances ? f(f(own - other) * f(own - other)) : f(own * other);
      }, features);
      const logit = f(f(sum * f(args.distances ? -scale / 2 : scale)) + added);
      return logit <= MASKED ? -Infinity : logit;
    });
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    if (largest === -Infinity) continue;
    const weights = logits.map((logit) => f(Math.exp(f(logit - largest))));
    const total = sumInBlocks((j) => weights[j], weights.length);
    for (let c = 0; c < valueFeatures; c++) {
      const weighted = (j: number) => f(weights[j] * args.value[visible[j].row * valueFeatures + c]);
      output[row * valueFeatures + c] = sumInBlocks(weighted, weights.length) / total;
    }
    logSumExp[row] = f(largest + f(Math.log(total)));
  }
  return { output, logSumExp };
}

/** Keys that the query at a position of a head sees: their rows, heads counted through, and what is added to their logits. */
function visibleKeys(args: HostAttend, head: number, position: number): { row: number; added: number }[] {
  const { queries, keys, causal, blocks = 1, exclude, samples, logWeights, keyOrder, bounds } = args;
  const block = blockOf(position, queries, blocks),
    own = exclude && blockOf(position, queries, exclude.blocks);
  const said = bounds &&
    boundsAt(bounds.positions.subarray(4 * head * blocks, 4 * (head + 1) * blocks), position);
  const first = said ? said[2] : blockStart(block, keys, blocks);
  let end = said ? said[3] : blockStart(block + 1, keys, blocks);
  if (causal) end = Math.min(end, (position % causal.period) + causal.offset + 1);
  const near = Array.from({ length: Math.max(0, end - first) }, (_, j) => head * keys + first + j)
    .filter((at) => !exclude || exclude.keyBlocks[at] !== own)
    .map((at) => ({
      row: keyOrder ? head * keys + keyOrder[at] : at,
      added: logWeights ? logWeights[at] : 0,
    }));
  const far = Array.from({ length: samples?.count ?? 0 }, (_, s) => {
    const at = head * samples!.count + s;
    return { row: head * keys + samples!.index[at], added: samples!.logWeights[at] };
  }).filter(({ row }) => blockOf(samples!.position[row], keys, blocks) !== block);
  return [...near, ...far];
}

/** The four words of the block that holds the query at a position. */
function boundsAt(positions: Uint32Array, position: number): Uint32Array {
  let at = 0;
  while (!(positions[at] <= position && position < positions[at + 1])) at += 4;
  return positions.subarray(at, at + 4);
}
