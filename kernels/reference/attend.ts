import { type AttendArguments, EMPTY, MASKED, type PartialAttention } from "../backend.ts";
import { blockOf, blockStart } from "../partition.ts";
import { floats, floatValues, wordValues } from "./array.ts";
import { atOnce, type Steps } from "./steps.ts";

/** Softmax attention in float64, at once. */
export const attendAtOnce: (args: AttendArguments) => PartialAttention = atOnce(attend);

/** Softmax attention in float64, one query at a time: the formula as it is written in papers. */
export function* attend(args: AttendArguments): Steps<PartialAttention> {
  const { heads, queries, features, valueFeatures, scale } = args;
  const output = new Float64Array(heads * queries * valueFeatures);
  const logSumExp = new Float64Array(heads * queries);
  yield { output: floats(output), logSumExp: floats(logSumExp) };
  const query = floatValues(args.query), key = floatValues(args.key), value = floatValues(args.value);
  const queryOrder = args.queryOrder && wordValues(args.queryOrder);
  const visible = new VisibleKeys(args), { rows, logits } = visible;

  for (let head = 0; head < heads; head++) {
    for (let position = 0; position < queries; position++) {
      yield;
      const row = head * queries + (queryOrder ? queryOrder[head * queries + position] : position);
      const count = visible.find(head, position);
      let largest = -Infinity;
      for (let j = 0; j < count; j++) {
        logits[j] += args.distances
          ? -scale / 2 * squaredDistance(query, row * features, key, rows[j] * features, features)
          : scale * innerProduct(query, row * features, key, rows[j] * features, features);
        if (logits[j] <= MASKED) logits[j] = -Infinity;
        largest = Math.max(largest, logits[j]);
      }
      if (largest === -Infinity) {
        logSumExp[row] = EMPTY;
        continue;
      }
      let total = 0;
      for (let j = 0; j < count; j++) {
        const weight = Math.exp(logits[j] - largest);
        if (weight === 0) continue;
        total += weight;
        for (let c = 0; c < valueFeatures; c++) {
          output[row * valueFeatures + c] += weight * value[rows[j] * valueFeatures + c];
        }
      }
      for (let c = 0; c < valueFeatures; c++) output[row * valueFeatures + c] /= total;
      logSumExp[row] = largest + Math.log(total);
    }
  }
}

/** The rules of visibility: which keys the query at a position of a head sees. */
class VisibleKeys {
  /** Rows of `key` and `value`, counted through all heads. */
  readonly rows: Uint32Array;
  /** What is added to the logit of each. */
  readonly logits: Float64Array;
  readonly #args: AttendArguments;
  /** [heads, queries]: what `bounds` says of the block of each position. */
  readonly #bounds?: Uint32Array[];

  constructor(args: AttendArguments) {
    this.#args = args;
    this.#bounds = args.bounds && blocksOfPositions(args, wordValues(args.bounds.positions));
    const most = args.keys + (args.samples?.count ?? 0);
    this.rows = new Uint32Array(most);
    this.logits = new Float64Array(most);
  }

  /** Fills `rows` and `logits`, and returns how many keys are visible. */
  find(head: number, position: number): number {
    const { queries, keys, causal, blocks = 1, exclude, samples, logWeights, keyOrder } = this.#args;
    const bounds = this.#bounds?.[head * queries + position];
    const block = blockOf(position, queries, blocks);
    const ownBlock = exclude ? blockOf(position, queries, exclude.blocks) : -1;
    const first = bounds ? bounds[2] : blockStart(block, keys, blocks);
    let end = bounds ? bounds[3] : blockStart(block + 1, keys, blocks), count = 0;
    if (causal) end = Math.min(end, (position % causal.period) + causal.offset + 1);
    for (let j = first; j < end; j++) {
      const at = head * keys + j;
      if (exclude && wordValues(exclude.keyBlocks)[at] === ownBlock) continue;
      this.rows[count] = head * keys + (keyOrder ? wordValues(keyOrder)[at] : j);
      this.logits[count++] = logWeights ? floatValues(logWeights)[at] : 0;
    }
    for (let s = 0; samples && s < samples.count; s++) {
      const at = head * samples.count + s, row = head * keys + wordValues(samples.index)[at];
      if (blockOf(wordValues(samples.position)[row], keys, blocks) === block) continue;
      this.rows[count] = row;
      this.logits[count++] = floatValues(samples.logWeights)[at];
    }
    return count;
  }
}

function blocksOfPositions(
  { heads, queries, blocks = 1 }: AttendArguments,
  positions: Uint32Array,
): Uint32Array[] {
  const found: Uint32Array[] = [];
  for (let block = 0; block < heads * blocks; block++) {
    const bounds = positions.subarray(4 * block, 4 * block + 4), first = Math.floor(block / blocks) * queries;
    for (let query = bounds[0]; query < bounds[1]; query++) found[first + query] = bounds;
  }
  return found;
}

function squaredDistance(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  length: number,
): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += (a[aStart + t] - b[bStart + t]) ** 2;
  return sum;
}

/** Inner product of two stretches of `length` values. */
export function innerProduct(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  length: number,
): number {
  let sum = 0;
  for (let t = 0; t < length; t++) sum += a[aStart + t] * b[bStart + t];
  return sum;
}
