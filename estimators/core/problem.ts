import { EMPTY, type HalvedKeys } from "../../kernels/backend.ts";
import { checkTensor, formatShape, sizeOf, type Tensor } from "../../kernels/tensor.ts";

/** What decides which keys a query sees, and how inner products are scaled. */
export interface ProblemOptions {
  /** Factor on every inner product; 1/sqrt(d) by default. */
  scale?: number;
  /** Query i sees keys up to i + n_k − n_q: the last query sees every key. */
  causal?: boolean;
  /** True or non-zero for the keys that may be seen; shape [n_k], or that of the key without its last dimension. */
  keyMask?: ArrayLike<number | boolean>;
}

/**
 * A checked attention problem in the form that backends take. Grouped-query heads that share one key head are
 * stacked into its queries.
 */
export interface Problem {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** Number of key heads, batch included. */
  readonly heads: number;
  /** Queries per key head: query heads per key head × n_q. */
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly valueFeatures: number;
  readonly scale: number;
  /** n_q, the length of one sequence of queries. */
  readonly period: number;
  /** Key j is visible to query row i if j <= (i mod period) + offset; undefined: every key. */
  readonly causalOffset?: number;
  /** [heads, keys]: EMPTY hides a key; others are 0, or the logits that all queries share (`centred.ts`). */
  readonly logWeights?: Float32Array;
  /** [heads, features]: what was taken off the queries; its logits are in `logWeights`. */
  readonly queryCentre?: Float64Array;
  /** Most keys summed in one chain: see `AttendArguments`. */
  readonly keysAtOnce?: number;
  /** Largest |x| in the keys. */
  readonly largestKey: number;
  /** Largest |x| in the values. */
  readonly largestValue: number;
  /** Lets exact attention hold keys and values in half floats. */
  readonly halves?: HalvedKeys;
  /** Shape of the output: that of the query with d_v as its last dimension. */
  readonly outputShape: readonly number[];
}

/** Magnitudes from here on may overflow f32 in sums or squares. */
const LARGEST = 1e30;

/**
 * Checks tensors and options and brings them into one form.
 *
 * @throws {TypeError} If a shape does not fit.
 * @throws {RangeError} If a value is not finite or too large, or some query sees no key.
 */
export function makeProblem(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: ProblemOptions = {},
): Problem {
  checkTensor("query", query);
  checkTensor("key", key);
  checkTensor("value", value);
  for (const [name, { shape }] of Object.entries({ query, key, value })) {
    if (shape.length < 2) {
      throw new TypeError(
        `Cannot attend: ${name} must have at least 2 dimensions: current shape is ${formatShape(shape)}`,
      );
    }
  }
  const [periodQueries, features] = query.shape.slice(-2);
  const [keys, keyFeatures] = key.shape.slice(-2);
  const [values, valueFeatures] = value.shape.slice(-2);
  if (keyFeatures !== features) {
    throw new TypeError(`Cannot attend: key has ${keyFeatures} features but query has ${features}`);
  }
  if (values !== keys) throw new TypeError(`Cannot attend: value has ${values} rows but key has ${keys}`);
  const { heads, group } = matchHeads(query.shape, key.shape, value.shape);
  const scale = options.scale ?? 1 / Math.sqrt(features);
  if (!Number.isFinite(scale)) {
    throw new RangeError(`Cannot attend: scale must be a finite number: current value is ${scale}`);
  }

  const largestQuery = largestMagnitude("query", query), largestKey = largestMagnitude("key", key);
  const largestValue = largestMagnitude("value", value);
  const largestLogit = largestQuery * largestKey * features * Math.max(1, Math.abs(scale));
  if (!(largestLogit < LARGEST)) {
    throw new RangeError(
      `Cannot attend: logits must stay below ${LARGEST}: query values reach ${largestQuery} and key values ${largestKey} ` +
        `with ${features} features at scale ${scale}`,
    );
  }
  const problem: Problem = {
    query: query.data,
    key: key.data,
    value: value.data,
    heads,
    queries: group * periodQueries,
    keys,
    features,
    valueFeatures,
    scale,
    period: periodQueries,
    causalOffset: options.causal ? keys - periodQueries : undefined,
    logWeights: options.keyMask === undefined ? undefined : maskWeights(options.keyMask, heads, keys),
    largestKey,
    largestValue,
    outputShape: [...query.shape.slice(0, -1), valueFeatures],
  };
  return problem;
}

/**
 * Refuses a problem in which some query sees no key.
 *
 * @throws {RangeError} Naming the first such query.
 */
export function checkVisibility({ heads, keys, period, causalOffset, logWeights }: Problem): void {
  if (causalOffset !== undefined && causalOffset < 0) {
    throw new RangeError(
      `Cannot attend causally: there must be at least as many keys as queries: ${period} queries, ${keys} keys, so query 0 sees no key`,
    );
  }
  if (!logWeights) return;
  for (let head = 0; head < heads; head++) {
    const first = logWeights.subarray(head * keys, (head + 1) * keys).indexOf(0);
    if (first === -1) {
      throw new RangeError(`Cannot attend: keyMask must leave at least one key: head ${head} has none`);
    }
    if (causalOffset !== undefined && first > causalOffset) {
      throw new RangeError(
        `Cannot attend causally: query 0 sees keys up to ${causalOffset}, but the first that keyMask leaves in head ${head} is ${first}`,
      );
    }
  }
}

/** Leading dimensions: equal but for the last one, where query heads may be a multiple of key heads. */
function matchHeads(
  query: readonly number[],
  key: readonly number[],
  value: readonly number[],
): { heads: number; group: number } {
  const leading = (shape: readonly number[]) => shape.slice(0, -2);
  const ofQuery = leading(query), ofKey = leading(key);
  if (String(ofKey) !== String(leading(value))) {
    throw new TypeError(
      `Cannot attend: key and value must have the same leading dimensions: key is ${
        formatShape(key)
      }, value is ${formatShape(value)}`,
    );
  }
  const last = ofQuery.length - 1;
  const fits = ofQuery.length === ofKey.length &&
    ofQuery.every((extent, axis) => axis === last ? extent % ofKey[axis] === 0 : extent === ofKey[axis]);
  if (!fits) {
    throw new TypeError(
      `Cannot attend: query heads must be key heads or a multiple of them: query is ${
        formatShape(query)
      }, key is ${formatShape(key)}`,
    );
  }
  const heads = sizeOf(ofKey);
  return { heads, group: sizeOf(ofQuery) / heads };
}

/** Largest |x|, having checked that every x is finite. */
function largestMagnitude(name: string, { data, shape }: Tensor): number {
  let largest = 0;
  for (let at = 0; at < data.length; at++) {
    const magnitude = Math.abs(data[at]);
    // Written so that NaN enters the branch: comparisons with NaN are false.
    if (!(magnitude <= largest)) {
      if (!(magnitude < LARGEST)) throw new RangeError(describeBadValue(name, shape, at, data[at]));
      largest = magnitude;
    }
  }
  return largest;
}

function describeBadValue(name: string, shape: readonly number[], at: number, value: number): string {
  const [rows, columns] = shape.slice(-2);
  const row = Math.floor(at / columns) % rows;
  const head = Math.floor(at / (rows * columns));
  const rule = Number.isFinite(value) ? `below ${LARGEST} in magnitude` : "finite";
  return `Cannot attend: ${name} must be ${rule}: row ${row}, column ${at % columns}` +
    (shape.length > 2 ? ` of head ${head}` : "") + ` is ${value}`;
}

function maskWeights(mask: ArrayLike<number | boolean>, heads: number, keys: number): Float32Array {
  if (mask.length !== keys && mask.length !== heads * keys) {
    throw new TypeError(
      `Cannot attend: keyMask must have ${keys} entries, or ${
        heads * keys
      } for ${heads} heads: it has ${mask.length}`,
    );
  }
  return Float32Array.from({ length: heads * keys }, (_, at) => mask[at % mask.length] ? 0 : EMPTY);
}
